import assert from 'node:assert/strict'
import { SharedOutbox } from '../../../lib/delivery/outbox/shared-outbox.js'
import { VirtualClock } from '../virtual-clock.js'
import { FailingStore } from './failing-store.js'
import { MemoryStore } from './memory-store.js'
import { outboxContract } from './outbox-contract.js'
import { createOutboxOptions, IGNORED_EVENTS } from './outbox-options.js'

const LEASE_MS = 10_000

outboxContract('SharedOutbox, without windows', (options) => {
  const store = new MemoryStore(options.clock.now)
  return new SharedOutbox(store, options, LEASE_MS)
})

outboxContract('SharedOutbox, with windows', (options) => {
  const store = new MemoryStore(options.clock.now)
  return new SharedOutbox(store, { ...options, longestWindowMs: 60_000 }, LEASE_MS)
})

describe('shared outbox: the history of calls', () => {
  it('has the calls that began while a step was repeated', async () => {
    const clock = new VirtualClock()
    const store = new FailingStore(new MemoryStore(clock.now))
    const options = createOutboxOptions({ longestWindowMs: 60_000, clock })
    const outbox = new SharedOutbox(store, options, LEASE_MS)
    const histories: (readonly number[])[] = []
    outbox.recover({
      ...IGNORED_EVENTS,
      onCallHistory: (agesMs) => histories.push(agesMs),
    })
    await clock.advanceAsync(100)
    store.fails = 'after'
    outbox.onCall()
    await clock.advanceAsync(100)
    outbox.onCall()
    outbox.onCall()
    store.fails = 'never'
    await clock.advanceAsync(2_000)
    const counts = histories.map((agesMs) => agesMs.length)
    assert.deepEqual(counts, [0, 3])
  })
})
