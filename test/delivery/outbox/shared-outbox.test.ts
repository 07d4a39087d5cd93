import { SharedOutbox } from '../../../lib/delivery/outbox/shared-outbox.js'
import { MemoryStore } from './memory-store.js'
import { outboxContract } from './outbox-contract.js'

const LEASE_MS = 10_000

outboxContract('SharedOutbox, without windows', (options) => {
  const store = new MemoryStore(options.clock.now)
  return new SharedOutbox(store, options, LEASE_MS)
})

outboxContract('SharedOutbox, with windows', (options) => {
  const store = new MemoryStore(options.clock.now)
  return new SharedOutbox(store, { ...options, longestWindowMs: 60_000 }, LEASE_MS)
})
