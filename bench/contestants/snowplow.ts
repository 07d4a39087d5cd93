import snowplow from '@snowplow/node-tracker'
import type { RunningContestant } from './contestant.js'
import { createEnsInput } from './impression-inputs.js'

export function start(endpoint: string): RunningContestant {
  const tracker = snowplow.newTracker({ namespace: 'bench', appId: 'bench' }, { endpoint })
  return {
    createInput(campaign) {
      const { campaignId, placement } = createEnsInput(campaign)
      return { campaignId: String(campaignId), zoneId: placement }
    },
    track(input: snowplow.AdImpressionEvent) {
      tracker.track(snowplow.buildAdImpression(input))
    },
    flush: () => tracker.flush(),
    close: () => tracker.flush(),
  }
}
