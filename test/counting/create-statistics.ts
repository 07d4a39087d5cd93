import type { Clock } from '../../lib/clock.js'
import { Statistics } from '../../lib/counting/statistics.js'
import type { OutcomeSubject } from '../../lib/impression.js'
import type { Log } from '../../lib/logger.js'

/** Creates statistics for two networks, whose clock always returns `nowMs`. */
export function createStatistics(nowMs = 1_000) {
  const messages: string[] = []
  const record = (_kind: string, message: string) => void messages.push(message)
  const log: Log = {
    debug: (create) => messages.push(create().message),
    warn: record,
    error: record,
  }
  const now = () => nowMs
  const clock: Clock = { now, wallNow: now, after: () => () => {}, defer: () => {} }
  const statistics = new Statistics([{ name: 'ens' }, { name: 'acme' }], clock, log)
  return { statistics, ens: statistics.forNetwork('ens'), messages }
}

/** Creates the subject of an outcome, tracked at 400 ms. */
export const createSubject = (): OutcomeSubject => ({
  network: 'ens',
  requestId: 'r1',
  campaignId: 42,
  trackedAtMs: 400,
  attempts: 2,
})
