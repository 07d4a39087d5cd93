import { Analytics } from '@segment/analytics-node'
import { type EnsInput, EVENT, ensInputOf, VIEWER } from './ads.js'
import type { Counting } from './contestant.js'

export function start(host: string): Counting {
  const analytics = new Analytics({ writeKey: 'bench', host })
  // Without a listener its failures would end the process.
  analytics.on('error', () => {})
  return {
    inputOf: ensInputOf,
    track: (properties: EnsInput) =>
      analytics.track({ anonymousId: VIEWER, event: EVENT, properties }),
    flush: () => analytics.flush({ timeout: 300 }),
    close: (timeout) => analytics.closeAndFlush({ timeout }),
  }
}
