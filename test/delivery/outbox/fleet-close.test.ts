// Tests lib/delivery/outbox/shared-outbox.ts
// Tests lib/delivery/outbox/appending-impressions.ts

import assert from 'node:assert/strict'
import { ok } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { FailingStore } from './failing-store.js'
import { FleetProcess, LEASE_MS } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'

const WINDOWS = { windows: [{ limit: 300, windowMs: 60_000 }], maxBatch: 10 }

for (const [description, network] of [
  ['without windows', {}],
  ['with windows', WINDOWS],
] as const) {
  describe(`close() with a shared outbox, for a network ${description}`, () => {
    async function createFleet() {
      const clock = new VirtualClock()
      const memory = new MemoryStore(clock.now)
      const store = new FailingStore(memory)
      const one = new FleetProcess({ clock, store, network })
      await clock.advanceAsync(100)
      const startNext = () => new FleetProcess({ clock, store: memory, network })
      const close = () => Promise.all([one.delivery.close(), clock.advanceAsync(3_000)])
      return { clock, memory, store, one, startNext, close }
    }

    it('makes no claim that is not sent: the next process sends it', async () => {
      const { clock, store, one, startNext, close } = await createFleet()
      store.fails = 'hangs'
      store.isAffected = ({ claim }) => claim.length > 0
      one.push(1)
      await clock.advanceAsync(10)
      const closing = close()
      store.fails = 'never'
      store.answer()
      await closing
      one.assertBalanced()
      const next = startNext()
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual([one.transport.sent, next.transport.sent], [[], [[1]]])
      assert.deepEqual([next.stats.uncertain, next.stats.pending], [0, 0])
    })

    it('drops what was not sent to a store that is down, and stores nothing later', async () => {
      const { clock, memory, store, one, close } = await createFleet()
      store.fails = 'before'
      await clock.advanceAsync(LEASE_MS / 2)
      one.push(1)
      await close()
      assert.deepEqual([one.stats.dropped, one.stats.pending], [1, 0])
      assert.match(one.outcomes[0]?.reason ?? '', /^closed: close\(\) was called/)
      store.fails = 'never'
      const { steps } = store
      await clock.advanceAsync(LEASE_MS * 2)
      assert.equal(store.steps, steps)
      assert.equal((await memory.readFleet()).records, 0)
    })

    it('says that what the store may have is uncertain', async () => {
      const { clock, store, one, close } = await createFleet()
      store.fails = 'after'
      one.push(1)
      await clock.advanceAsync(100)
      await close()
      one.assertBalanced()
      assert.deepEqual([one.stats.uncertain, one.stats.pending], [1, 0])
      assert.match(one.outcomes[0]?.reason ?? '', /^closed: it may count/)
    })

    it('counts what was sent in the process that finds it, if the store is down', async () => {
      const { clock, store, one, startNext, close } = await createFleet()
      one.transport.script = () => undefined
      one.push(1)
      await clock.advanceAsync(100)
      store.fails = 'before'
      await clock.advanceAsync(LEASE_MS * 2)
      one.transport.calls[0]?.end(ok)
      await close()
      assert.deepEqual([one.stats.tracked, one.stats.pending], [0, 0])
      const next = startNext()
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual([next.stats.tracked, next.stats.uncertain], [1, 1])
    })

    it('ends fleetStats() at once, and later ones too', async () => {
      const { clock, store, one, close } = await createFleet()
      store.fails = 'hangs'
      const reading = assert.rejects(one.fleetStats(), /close\(\) was called/)
      await clock.advanceAsync(10)
      await close()
      await reading
      await assert.rejects(one.fleetStats(), /close\(\) was called/)
    })
  })
}
