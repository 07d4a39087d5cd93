// Tests lib/delivery/outbox/shared-outbox.ts

import assert from 'node:assert/strict'
import { connectionError, ok, type Script, status } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { FailingStore } from './failing-store.js'
import { FleetProcess, type FleetProcessOptions, LEASE_MS } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'
import { StoreOwner } from './store-owner.js'

const WINDOWS = { windows: [{ limit: 300, windowMs: 60_000 }], maxBatch: 10 }

for (const [description, network] of [
  ['without windows', {}],
  ['with windows', WINDOWS],
] as const) {
  describe(`processes that share an outbox, for a network ${description}`, () => {
    function createFleet(options: Partial<FleetProcessOptions> = {}) {
      const clock = new VirtualClock()
      const store = new MemoryStore(clock.now)
      const start = (more: Partial<FleetProcessOptions> = {}) =>
        new FleetProcess({ clock, store, network, ...options, ...more })
      return { clock, store, start }
    }

    const sentBy = (...processes: FleetProcess[]) =>
      processes.flatMap(({ transport }) => transport.sent.flat()).sort((a, b) => a - b)

    it('deliver everything once, and their figures together balance', async () => {
      const { clock, start } = createFleet()
      const [one, two] = [start(), start()]
      for (let item = 1; item <= 40; item += 1) {
        ;(item % 2 ? one : two).push(item)
        await clock.advanceAsync(100)
      }
      await clock.advanceAsync(5_000)
      assert.deepEqual(
        sentBy(one, two),
        Array.from({ length: 40 }, (_, index) => index + 1),
      )
      assert.equal(one.stats.delivered + two.stats.delivered, 40)
      const [fleet] = await Promise.all([one.fleetStats(), clock.advanceAsync(10)])
      assert.equal(fleet.tracked, 40)
      assert.equal(fleet.delivered, 40)
    })

    it('count a campaign of a page load once, whichever process gets it', async () => {
      const { clock, start } = createFleet()
      const [one, two] = [start(), start()]
      one.push(1, 'page 1, campaign 1')
      two.push(2, 'page 1, campaign 1')
      two.push(3, 'page 1, campaign 3')
      await clock.advanceAsync(1_000)
      assert.deepEqual(sentBy(one, two).length, 2)
      assert.equal(one.stats.duplicate + two.stats.duplicate, 1)
    })

    it('claim one batch after the other without waiting for more pages', async () => {
      const { clock, start } = createFleet()
      const one = start()
      await clock.advanceAsync(100)
      one.delivery.suspendPacing()
      for (let item = 1; item <= 60; item += 1) one.push(item, undefined, `batch ${item}`)
      await clock.advanceAsync(500)
      assert.equal(one.stats.delivered, 60)
    })

    it('send what a killed process had not claimed, and count what it had as uncertain', async () => {
      const { clock, start } = createFleet()
      const one = start({ script: () => undefined, network: { ...network, connections: 1 } })
      await clock.advanceAsync(100)
      const two = start()
      await clock.advanceAsync(100)
      one.push(1)
      await clock.advanceAsync(100)
      assert.equal(one.transport.calls.length, 1)
      one.push(2)
      one.push(3)
      await clock.advanceAsync(100)
      one.kill()
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual(two.transport.sent.flat(), [2, 3])
      assert.equal(two.stats.delivered, 2)
      assert.equal(two.stats.uncertain, 1)
      two.assertBalanced()
      const [fleet] = await Promise.all([two.fleetStats(), clock.advanceAsync(10)])
      assert.equal(fleet.tracked, 3)
    })

    it('a process that stood still sends nothing that was taken over, and its figures balance', async () => {
      const { clock, start } = createFleet()
      const script: Script = () => undefined
      const one = start({ script, network: { ...network, connections: 1 } })
      await clock.advanceAsync(100)
      const two = start()
      one.push(1)
      await clock.advanceAsync(100)
      one.push(2)
      await clock.advanceAsync(100)
      one.freeze()
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual(two.transport.sent.flat(), [2])
      assert.equal(two.stats.uncertain, 1)
      one.thaw()
      one.transport.script = () => ok
      one.transport.calls[0]?.end(ok)
      one.push(3)
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual(sentBy(one, two), [1, 2, 3])
      one.assertBalanced()
      assert.equal(one.stats.pending, 0)
      assert.equal(one.stats.delivered + two.stats.delivered, 2)
      const [fleet] = await Promise.all([one.fleetStats(), clock.advanceAsync(10)])
      assert.deepEqual([fleet.tracked, fleet.delivered, fleet.uncertain], [3, 2, 1])
    })

    it('a batch to be sent again is not sent by a process that stood still', async () => {
      const { clock, start } = createFleet()
      const one = start({ script: () => status(503, { 'retry-after': '1' }) })
      await clock.advanceAsync(100)
      one.push(1)
      await clock.advanceAsync(100)
      const calls = one.transport.calls.length
      const two = start()
      await clock.advanceAsync(100)
      one.freeze()
      await clock.advanceAsync(LEASE_MS * 2)
      one.thaw()
      await clock.advanceAsync(LEASE_MS)
      assert.equal(one.transport.calls.length, calls)
      assert.equal(one.stats.pending + two.stats.pending, 0)
    })

    it('close() leaves what is not sent to the others', async () => {
      const { clock, start } = createFleet()
      const one = start({ script: () => connectionError(false, 'ECONNREFUSED') })
      await clock.advanceAsync(100)
      one.push(1)
      await clock.advanceAsync(100)
      await Promise.all([one.delivery.close(), clock.advanceAsync(3_000)])
      assert.deepEqual([one.stats.tracked, one.stats.pending, one.stats.dropped], [0, 0, 0])
      const two = start()
      await clock.advanceAsync(3_000)
      assert.deepEqual(two.transport.sent, [[1]])
    })

    it('a pause that the network asks for stops every process', async () => {
      const { clock, start } = createFleet()
      const [one, two] = [start(), start()]
      await clock.advanceAsync(100)
      let answer = status(429, { 'retry-after': '30' })
      for (const { transport } of [one, two]) transport.script = () => answer
      one.push(1)
      two.push(2)
      await clock.advanceAsync(100)
      for (let item = 3; item < 30; item += 1) {
        ;(item % 2 ? one : two).push(item)
        await clock.advanceAsync(900)
      }
      const calls = one.transport.calls.length + two.transport.calls.length
      assert(calls <= 2, `${calls} calls`)
      answer = ok
      await clock.advanceAsync(70_000)
      assert.equal(one.stats.delivered + two.stats.delivered, 29)
    })

    it('a call from before a pause that succeeds during it lets no process call', async () => {
      const { clock, start } = createFleet()
      const one = start({ script: () => undefined })
      await clock.advanceAsync(100)
      const two = start()
      for (const item of [1, 2]) {
        one.push(item)
        await clock.advanceAsync(100)
      }
      one.transport.calls[1]?.end(status(429, { 'retry-after': '60' }))
      await clock.advanceAsync(100)
      one.transport.calls[0]?.end(ok)
      for (let item = 3; item < 30; item += 1) {
        two.push(item)
        // The other process becomes the sender, if there is one.
        if (item === 5) one.kill()
        await clock.advanceAsync(2_000)
      }
      assert.deepEqual(two.transport.sent, [])
      await clock.advanceAsync(30_000)
      assert.equal(one.stats.delivered + two.stats.delivered, 29)
    })

    it('a gateway that refuses the first call stops every process for a minute', async () => {
      const { clock, start } = createFleet()
      let answer = status(403, { 'content-type': 'text/html' }, '<html>no</html>')
      const all = Array.from({ length: 4 }, () => start({ script: () => answer }))
      await clock.advanceAsync(100)
      for (const [index, one] of all.entries()) {
        one.push(index)
        await clock.advanceAsync(1_000)
      }
      const countCalls = () => all.reduce((sum, { transport }) => sum + transport.calls.length, 0)
      await clock.advanceAsync(50_000)
      assert.equal(countCalls(), 1)
      answer = ok
      await clock.advanceAsync(90_000)
      assert.equal(
        all.reduce((sum, { stats }) => sum + stats.delivered, 0),
        4,
      )
    })

    it('one impression that a gateway refuses again and again stops no process for long', async () => {
      const { clock, start } = createFleet()
      const script: Script = ({ items }) => (items.includes(1) ? status(403) : ok)
      const [one, two] = [start({ script }), start({ script })]
      await clock.advanceAsync(100)
      one.push(1)
      for (let item = 2; item < 102; item += 1) {
        await clock.advanceAsync(2_000)
        two.push(item)
      }
      await clock.advanceAsync(1_000)
      assert.equal(one.stats.delivered + two.stats.delivered, 100)
    })

    it('calls that fail in one process do not stop the others', async () => {
      const { clock, start } = createFleet()
      const one = start({ script: () => connectionError(false, 'ECONNREFUSED') })
      await clock.advanceAsync(100)
      const two = start()
      for (let item = 1; item < 10; item += 1) {
        one.push(item)
        await clock.advanceAsync(1_000)
      }
      assert.equal(one.delivery.health().circuit, 'open')
      one.kill()
      await clock.advanceAsync(LEASE_MS + 3_000)
      // One that failed alone was still claimed, to be sent again.
      assert.deepEqual([two.stats.delivered, two.stats.uncertain], [8, 1])
    })

    it('keep what the store does not take, and store it once it works again', async () => {
      const { clock, store, start } = createFleet()
      let isDown = false
      const failing = Object.assign(Object.create(store) as MemoryStore, {
        exchange: (request: Parameters<MemoryStore['exchange']>[0]) =>
          isDown ? Promise.reject(new Error('it is down')) : store.exchange(request),
      })
      const one = start({ store: failing })
      await clock.advanceAsync(100)
      isDown = true
      for (let item = 1; item <= 2_500; item += 1) one.push(item)
      await clock.advanceAsync(30_000)
      assert.equal(one.stats.pending, 2_500)
      assert.equal(one.transport.calls.length, 0)
      assert.equal(one.log.filter((line) => line.includes('it is down')).length, 1)
      isDown = false
      await clock.advanceAsync(120_000)
      assert.equal(one.stats.delivered, 2_500)
      assert.equal(new Set(one.transport.sent.flat()).size, 2_500)
    })

    it('do not collect calls of fleetStats() in an outage of the store', async () => {
      const { clock, store, start } = createFleet()
      const failing = new FailingStore(store)
      const one = start({ store: failing })
      await clock.advanceAsync(100)
      failing.fails = 'before'
      for (let n = 0; n < 2_500; n += 1) {
        await Promise.all([assert.rejects(one.fleetStats()), clock.advanceAsync(1_000)])
      }
      failing.fails = 'never'
      failing.steps = 0
      await clock.advanceAsync(1_100)
      assert(failing.steps <= 2, `${failing.steps} steps`)
    })

    it('remove a record that cannot be read, and count it', async () => {
      const { clock, store, start } = createFleet()
      const box = network === WINDOWS ? 'fleet' : 'own'
      const other = new StoreOwner(store, 'other', box)
      const append = ['', '{}', '{"requestId":"r","trackedAtMs":1e99,"campaignId":{}}', 'null']
      await other.exchange({ append: append.map((payload, n) => ({ id: `r${n}`, payload })) })
      await other.exchange({ claim: ['r0'] })
      await clock.advanceAsync(LEASE_MS + 1)
      const one = start()
      await clock.advanceAsync(LEASE_MS)
      one.assertBalanced()
      assert.deepEqual([one.stats.uncertain, one.stats.invalid, one.stats.pending], [1, 3, 0])
      assert.equal((await store.readFleet()).records, 0)
      assert.equal(one.log.filter((line) => line.includes('cannot be read, and')).length, 1)
    })

    it('take nothing over from each other after an outage of the store', async () => {
      const { clock, store, start } = createFleet()
      let isDown = false
      const failing = Object.assign(Object.create(store) as MemoryStore, {
        exchange: (request: Parameters<MemoryStore['exchange']>[0]) =>
          isDown ? Promise.reject(new Error('it is down')) : store.exchange(request),
        hasArrivals: (seenUpTo: number) => store.hasArrivals(seenUpTo),
      })
      const all = [start({ store: failing }), start({ store: failing })]
      for (const { transport } of all) transport.latencyMs = LEASE_MS
      await clock.advanceAsync(100)
      for (const [index, one] of all.entries()) one.push(index)
      await clock.advanceAsync(1_000)
      isDown = true
      await clock.advanceAsync(LEASE_MS * 3)
      isDown = false
      await clock.advanceAsync(LEASE_MS * 3)
      const outcomes = all.flatMap((one) => one.outcomes.map(({ outcome }) => outcome))
      assert.deepEqual(outcomes, ['delivered', 'delivered'])
    })

    it('count an impression in one process although its store was out of reach for a lease', async () => {
      const { clock, store, start } = createFleet()
      let isDown = false
      const failing = Object.assign(Object.create(store) as MemoryStore, {
        exchange: (request: Parameters<MemoryStore['exchange']>[0]) =>
          isDown ? Promise.reject(new Error('it is down')) : store.exchange(request),
        hasArrivals: (seenUpTo: number) => store.hasArrivals(seenUpTo),
        readFleet: () => store.readFleet(),
      })
      const one = start({ store: failing, script: () => undefined })
      await clock.advanceAsync(100)
      const two = start()
      one.push(1)
      await clock.advanceAsync(100)
      isDown = true
      one.transport.calls[0]?.end(ok)
      await clock.advanceAsync(LEASE_MS * 2)
      assert.deepEqual([one.stats.pending, one.stats.delivered, two.stats.uncertain], [1, 0, 1])
      isDown = false
      await clock.advanceAsync(LEASE_MS)
      assert.deepEqual(one.outcomes, [])
      one.assertBalanced()
      const [fleet] = await Promise.all([one.fleetStats(), clock.advanceAsync(100)])
      assert.deepEqual([fleet.tracked, fleet.uncertain, fleet.pending], [1, 1, 0])
    })

    it('count once what a step did whose answer was lost before others took over', async () => {
      const { clock, store, start } = createFleet()
      let losesAnswers = false
      const lossy = Object.assign(Object.create(store) as MemoryStore, {
        exchange: async (request: Parameters<MemoryStore['exchange']>[0]) => {
          const response = await store.exchange(request)
          if (losesAnswers) throw new Error('the answer was lost')
          return response
        },
        hasArrivals: (seenUpTo: number) => store.hasArrivals(seenUpTo),
        readFleet: () => store.readFleet(),
      })
      const one = start({ store: lossy })
      await clock.advanceAsync(100)
      one.push(1)
      one.push(2)
      await clock.advanceAsync(2)
      const two = start()
      await clock.advanceAsync(100)
      assert.equal(one.stats.delivered, 2)
      losesAnswers = true
      for (const item of [3, 4, 5]) one.push(item, `key ${Math.min(item, 4)}`)
      await clock.advanceAsync(100)
      one.freeze()
      await clock.advanceAsync(LEASE_MS * 2)
      losesAnswers = false
      one.thaw()
      await clock.advanceAsync(LEASE_MS)
      assert.deepEqual(sentBy(one, two), [1, 2, 3, 4])
      for (const process of [one, two]) process.assertBalanced()
      const [fleet] = await Promise.all([one.fleetStats(), clock.advanceAsync(100)])
      const { tracked, delivered, duplicate, uncertain } = fleet
      assert.deepEqual([tracked, delivered, duplicate, uncertain], [5, 4, 1, 0])
    })

    it('store nothing twice if the answers of the store are lost', async () => {
      const { clock, store, start } = createFleet()
      let n = 0
      const flaky = Object.assign(Object.create(store) as MemoryStore, {
        exchange: async (request: Parameters<MemoryStore['exchange']>[0]) => {
          n += 1
          const response = await store.exchange(request)
          if (n % 3 !== 0) throw new Error('the answer was lost')
          return response
        },
      })
      const one = start({ store: flaky })
      for (let item = 1; item <= 50; item += 1) {
        one.push(item)
        await clock.advanceAsync(500)
      }
      await clock.advanceAsync(400_000)
      assert.equal(one.stats.delivered, 50)
      assert.equal(one.transport.sent.flat().length, 50)
    })
  })
}

describe('the sender of a fleet', () => {
  it('waits in flush() for what it is claiming, whoever tracked that', async () => {
    const clock = new VirtualClock()
    const store = new MemoryStore(clock.now)
    const slow = new FailingStore(store)
    const sender = new FleetProcess({ clock, store: slow, network: WINDOWS })
    await clock.advanceAsync(100)
    const other = new FleetProcess({ clock, store, network: WINDOWS })
    await clock.advanceAsync(LEASE_MS)
    slow.isAffected = ({ claim }) => claim.length > 0
    slow.fails = 'hangs'
    other.push(1)
    await clock.advanceAsync(1_000)
    let isFlushed: boolean | undefined
    void sender.delivery.flush(10_000).then((value) => {
      isFlushed = value
    })
    await clock.advanceAsync(1_000)
    assert.equal(isFlushed, undefined)
    slow.fails = 'never'
    slow.answer()
    await clock.advanceAsync(1_000)
    assert.equal(isFlushed, true)
    assert.equal(sender.stats.delivered, 1)
  })
})
