// Tests test/delivery/outbox/memory-store.ts, the reference for lib/delivery/outbox/store.ts

import { VirtualClock } from '../virtual-clock.js'
import { MemoryStore } from './memory-store.js'
import { storeContract } from './store-contract.js'

storeContract('memory', () => {
  const clock = new VirtualClock()
  const store = new MemoryStore(clock.now)
  return { open: () => store, advance: (ms) => clock.advance(ms) }
})
