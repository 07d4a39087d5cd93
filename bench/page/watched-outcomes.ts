import type { Outcome } from 'ad-impressions'
import { campaignOf } from '../contestants/ads.js'
import type { TrackerMethods } from './app.js'

/** What became of each campaign, of which each counts on one page. */
export function watchOutcomes(tracker: TrackerMethods): Map<number, Outcome> {
  const outcomes = new Map<number, Outcome>()
  tracker.on('outcome', ({ campaignId, outcome }) => {
    const campaign = typeof campaignId === 'string' ? campaignOf(campaignId) : campaignId
    if (campaign !== undefined) outcomes.set(campaign, outcome)
  })
  return outcomes
}
