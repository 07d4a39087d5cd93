import snowplow from '@snowplow/node-tracker'
import { ensInputOf } from './ads.js'
import type { Counting } from './contestant.js'

export function start(endpoint: string): Counting {
  const tracker = snowplow.newTracker({ namespace: 'bench', appId: 'bench' }, { endpoint })
  return {
    inputOf(campaign) {
      const { campaignId, placement } = ensInputOf(campaign)
      return { campaignId: String(campaignId), zoneId: placement }
    },
    track(input: snowplow.AdImpressionEvent) {
      tracker.track(snowplow.buildAdImpression(input))
    },
    flush: () => tracker.flush(),
    close: () => tracker.flush(),
  }
}
