import { Analytics } from '@segment/analytics-node'
import type { RunningContestant } from './contestant.js'
import { createEnsInput, type EnsBenchInput, EVENT_NAME, VIEWER_ID } from './impression-inputs.js'

export function start(host: string): RunningContestant {
  const analytics = new Analytics({ writeKey: 'bench', host })
  // Without a listener, a failure would end the process.
  analytics.on('error', () => {})
  return {
    createInput: createEnsInput,
    track: (properties: EnsBenchInput) =>
      analytics.track({ anonymousId: VIEWER_ID, event: EVENT_NAME, properties }),
    flush: () => analytics.flush({ timeout: 300 }),
    close: (timeout) => analytics.closeAndFlush({ timeout }),
  }
}
