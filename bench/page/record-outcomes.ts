import type { Outcome } from 'ad-impressions'
import { decodeCampaign } from '../contestants/impression-inputs.js'
import type { SiteTracker } from './site-app.js'

/** Records the outcome of each campaign. Each campaign must be on one page only. */
export function recordOutcomes(tracker: SiteTracker): Map<number, Outcome> {
  const outcomes = new Map<number, Outcome>()
  tracker.on('outcome', ({ campaignId, outcome }) => {
    const campaign = typeof campaignId === 'string' ? decodeCampaign(campaignId) : campaignId
    if (campaign !== undefined) outcomes.set(campaign, outcome)
  })
  return outcomes
}
