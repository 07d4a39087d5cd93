import { systemClock } from '../../../lib/clock.js'
import type { OutboxOptions } from '../../../lib/delivery/outbox/outbox.js'
import { createLog } from '../../../lib/logger.js'
import { createMemoryLogger } from '../../page-load/memory-logger.js'

/** What a tracker opens an outbox with. */
export function createOutboxOptions(options: Partial<OutboxOptions> = {}): OutboxOptions {
  const clock = options.clock ?? systemClock
  return {
    network: 'acme',
    maxPending: 1_000,
    maxBatch: 3,
    longestWindowMs: 0,
    timeoutMs: 10_000,
    dedupeTtlMs: 1_800_000,
    figures: () => ({}),
    clock,
    log: createLog(createMemoryLogger([]), clock),
    ...options,
  }
}

/** For `Outbox.recover`, when nothing that happens later matters. */
export const IGNORED_EVENTS = {
  onReady: () => {},
  onOrphans: () => {},
  onUnreadable: () => {},
  onUncertain: () => {},
  onAppendedAgain: () => {},
  onHandedOver: () => {},
  onCallHistory: () => {},
}
