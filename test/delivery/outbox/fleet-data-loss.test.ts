// Tests lib/delivery/outbox/shared-outbox.ts
// Tests lib/delivery/outbox/settling-impressions.ts

import assert from 'node:assert/strict'
import type { ExchangeRequest, Store } from '../../../lib/delivery/outbox/store.js'
import { ok, status } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { FailingStore } from './failing-store.js'
import { FleetProcess, LEASE_MS } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'

const WINDOWS = { windows: [{ limit: 8, windowMs: 60_000 }], maxBatch: 10 }

for (const [description, network] of [
  ['without windows', {}],
  ['with windows', WINDOWS],
] as const) {
  describe(`a store that loses its data, for a network ${description}`, () => {
    /** A process of which one impression is in flight and others wait, and another process. */
    async function createFleet() {
      const clock = new VirtualClock()
      const store = new FailingStore(new MemoryStore(clock.now))
      const options = { network: { ...network, connections: 1 }, clock, store }
      const one = new FleetProcess({ ...options, script: () => undefined })
      await clock.advanceAsync(100)
      const two = new FleetProcess(options)
      await clock.advanceAsync(100)
      one.push(1)
      await clock.advanceAsync(100)
      one.push(2)
      one.push(3, 'key')
      await clock.advanceAsync(1_000)
      one.transport.script = () => ok
      const fleetStats = async () =>
        (await Promise.all([one.fleetStats(), clock.advanceAsync(100)]))[0]
      return { clock, store, one, two, fleetStats }
    }

    it('sends what waited, and does not know what was in flight', async () => {
      const { clock, store, one, two, fleetStats } = await createFleet()
      store.loseData(new MemoryStore(clock.now))
      await clock.advanceAsync(LEASE_MS)
      assert.deepEqual(one.outcomes[0]?.reason.split(':')[0], 'outbox-lost')
      one.transport.calls[0]?.end(ok)
      await clock.advanceAsync(LEASE_MS * 2)
      const sent = [...one.transport.sent, ...two.transport.sent].flat()
      assert.deepEqual(sent.sort(), [1, 2, 3])
      const { tracked, delivered, uncertain, pending } = await fleetStats()
      assert.deepEqual([tracked, delivered, uncertain, pending], [3, 2, 1, 0])
      for (const process of [one, two]) process.assertBalanced()
      assert.equal(one.log.filter((line) => line.includes('stored again')).length, 1)
    })

    it('tells the outcome of what was being settled', async () => {
      const { clock, store, one } = await createFleet()
      store.fails = 'before'
      await clock.advanceAsync(3_000)
      one.transport.calls[0]?.end(ok)
      store.loseData(new MemoryStore(clock.now))
      store.fails = 'never'
      await clock.advanceAsync(LEASE_MS)
      one.assertBalanced()
      assert.equal(one.outcomes.find(({ campaignId }) => campaignId === 1)?.outcome, 'delivered')
    })

    it('sends what was being claimed, since nobody can have sent it', async () => {
      const { clock, store, one, two } = await createFleet()
      store.fails = 'before'
      await clock.advanceAsync(3_000)
      one.transport.calls[0]?.end(ok)
      // Its settling lets the next claim begin, and both wait for the store.
      await clock.advanceAsync(3_000)
      store.loseData(new MemoryStore(clock.now))
      store.fails = 'never'
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual([...one.transport.sent, ...two.transport.sent].flat().sort(), [1, 2, 3])
      assert.deepEqual([one.stats.uncertain, two.stats.uncertain], [0, 0])
    })

    it('stores nothing again for a process that others may have taken over from', async () => {
      const { clock, store, one, two, fleetStats } = await createFleet()
      one.freeze()
      await clock.advanceAsync(LEASE_MS * 2)
      const sent = two.transport.sent.flat().sort()
      assert.deepEqual(sent, [2, 3])
      store.loseData(new MemoryStore(clock.now))
      one.thaw()
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual(two.transport.sent.flat().sort(), sent)
      assert.equal(one.transport.calls.length, 1)
      one.assertBalanced()
      assert.equal(one.stats.pending, 0)
      assert.equal((await fleetStats()).pending, 0)
    })
  })
}

describe('a store that loses its last moments', () => {
  for (const network of [{}, WINDOWS]) {
    const description = 'windows' in network ? 'with windows' : 'without windows'

    it(`makes what it has lost uncertain, and the rest is sent (${description})`, async () => {
      const clock = new VirtualClock()
      const store = new MemoryStore(clock.now)
      const last: ExchangeRequest[] = []
      const recording: Store = {
        exchange: (request) => {
          last.splice(0, 1, request)
          return store.exchange(request)
        },
        hasArrivals: (seenUpTo) => store.hasArrivals(seenUpTo),
        readFleet: () => store.readFleet(),
        close: () => store.close(),
      }
      const one = new FleetProcess({
        clock,
        store: recording,
        network: { ...network, connections: 1 },
      })
      await clock.advanceAsync(100)
      one.transport.script = () => undefined
      for (let item = 1; item <= 30; item += 1) one.push(item)
      await clock.advanceAsync(1_000)
      const inFlight = one.transport.sent.flat().length
      await loseWaiting(store, last)
      one.transport.script = () => ok
      one.transport.calls[0]?.end(ok)
      one.push(31)
      await clock.advanceAsync(60_000)
      assert.deepEqual([one.stats.delivered, one.stats.uncertain], [inFlight + 1, 30 - inFlight])
      assert.equal(one.stats.pending, 0)
      one.assertBalanced()
      const [stats] = await Promise.all([one.fleetStats(), clock.advanceAsync(100)])
      assert.deepEqual([stats.tracked, stats.pending], [31, 0])
    })
  }

  /** Removes what waits in the box of the process that has sent the request. */
  async function loseWaiting(store: MemoryStore, [request]: readonly ExchangeRequest[]) {
    assert(request)
    const { append: _append, ...others } = request
    const again = { ...others, append: undefined, calls: 0, claim: [], release: [] }
    const { arrivals } = await store.exchange({ ...again, seenUpTo: 0 })
    await store.exchange({ ...again, settle: arrivals.map(({ id }) => id) })
  }
})

describe('a store that loses its data', () => {
  it('does not make a process send again what it has counted as uncertain', async () => {
    const clock = new VirtualClock()
    const store = new FailingStore(new MemoryStore(clock.now))
    const one = new FleetProcess({ clock, store, network: WINDOWS, script: () => undefined })
    one.push(1)
    one.push(2)
    await clock.advanceAsync(5_000)
    assert.deepEqual(one.transport.sent, [[1, 2]])
    store.loseData(new MemoryStore(clock.now))
    await clock.advanceAsync(LEASE_MS)
    assert.equal(one.stats.uncertain, 2)
    one.transport.calls[0]?.end(status(422))
    await clock.advanceAsync(60_000)
    assert.deepEqual(one.transport.sent, [[1, 2]])
    one.assertBalanced()
  })

  it('does not make the sender forget its calls', async () => {
    const clock = new VirtualClock()
    const store = new FailingStore(new MemoryStore(clock.now))
    const network = { windows: [{ limit: 4, windowMs: 60_000 }], maxBatch: 1 }
    const one = new FleetProcess({ clock, store, network })
    one.transport.script = () => status(200)
    await clock.advanceAsync(100)
    for (const item of [1, 2, 3, 4]) {
      one.push(item)
      await clock.advanceAsync(100)
    }
    store.loseData(new MemoryStore(clock.now))
    await clock.advanceAsync(LEASE_MS)
    const calls = one.transport.calls.length
    one.push(5)
    await clock.advanceAsync(10_000)
    assert(one.transport.calls.length <= 4, `${calls} calls`)
    await clock.advanceAsync(120_000)
    assert.equal(one.stats.delivered, 5)
  })
})
