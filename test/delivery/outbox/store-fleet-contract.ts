// Tests lib/delivery/outbox/store.ts

import assert from 'node:assert/strict'
import { LEASE_MS, listIds, records, StoreOwner, type StoreSetup } from './store-owner.js'

/** The fleet's box, pauses, calls and figures: part of the store contract. */
export function storeFleetContract(setUp: () => StoreSetup): void {
  let setup: StoreSetup
  let stores: StoreOwner['store'][]
  beforeEach(() => {
    setup = setUp()
    stores = []
  })
  afterEach(async () => {
    for (const store of stores) await store.close()
  })

  function createOwner(name: string, box: 'own' | 'fleet'): StoreOwner {
    const store = setup.open()
    stores.push(store)
    return new StoreOwner(store, name, box)
  }

  const createPair = (box: 'own' | 'fleet') =>
    [createOwner('one', box), createOwner('two', box)] as const

  describe('sender', () => {
    it('is the first owner, and no other while it lives', async () => {
      const [one, two] = createPair('fleet')
      assert.equal((await one.exchange()).isSender, true)
      assert.equal((await two.exchange()).isSender, false)
      await setup.advance(LEASE_MS - 1)
      assert.equal((await one.exchange()).isSender, true)
      await setup.advance(LEASE_MS - 1)
      assert.equal((await two.exchange()).isSender, false)
    })

    it('claims what all owners have appended; the others claim nothing', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ append: records('a') })
      const appended = await two.exchange({ append: records('b', 'c') })
      assert.deepEqual(appended.arrivals, [])
      assert.deepEqual((await two.exchange({ claim: ['a', 'b'] })).claimed, [])
      assert.deepEqual(listIds((await one.exchange()).arrivals), ['b', 'c'])
      assert.deepEqual((await one.exchange({ claim: ['c', 'a'] })).claimed, ['c', 'a'])
    })

    it('may have sent what another owner appended without learning of it', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange()
      await two.exchange()
      const append = { number: 1, records: records('a', 'b', 'c') }
      await two.exchangeInVain({ append })
      await one.exchange({ claim: ['a', 'b'] })
      await one.exchange({ settle: ['a'], isLeaving: true })
      const again = await two.exchange({ append, isResync: true })
      assert.deepEqual(again.receipts, ['handed-over', 'handed-over', 'accepted'])
      assert.deepEqual(listIds(again.orphans), ['b'])
      assert.deepEqual(listIds(again.arrivals), ['c'])
    })

    it('dies, and the one that finds it so is the next: everything that waits arrives', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ append: records('a', 'b') })
      await two.exchange({ append: records('c') })
      await one.exchange({ claim: ['a'] })
      await setup.advance(LEASE_MS + 1)
      const found = await two.exchange({ claim: ['c'] })
      assert.equal(found.isSender, true)
      assert.equal(found.isFailover, true)
      assert.deepEqual(found.claimed, ['c'])
      assert.deepEqual(listIds(found.arrivals), ['b'])
      assert.deepEqual(listIds(found.orphans), ['a'])
      assert.equal((await two.exchange()).isFailover, false)
      assert.equal((await one.exchange()).isLost, true)
    })

    it('leaves without a failover', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ append: records('a') })
      assert.equal((await two.exchange()).isSender, false)
      assert.equal((await one.exchange({ isLeaving: true })).isSender, false)
      const next = await two.exchange()
      assert.equal(next.isSender, true)
      assert.equal(next.isFailover, false)
      assert.deepEqual(listIds(next.arrivals), ['a'])
    })

    it('is not an owner that leaves', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange()
      await two.exchange({ leaseMs: 60_000 })
      await setup.advance(LEASE_MS + 1)
      assert.equal((await two.exchange({ isLeaving: true })).isSender, false)
      const three = await createOwner('three', 'fleet').exchange()
      assert.deepEqual([three.isSender, three.isFailover], [true, true])
    })

    it('is no failover for the first owner of all', async () => {
      assert.equal((await createOwner('one', 'fleet').exchange()).isFailover, false)
    })

    it('settles what waits in the box, and releases to its end', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ append: records('a', 'b') })
      await two.exchange({ append: records('c') })
      await one.exchange({ claim: ['a'], settle: ['c'] })
      const { arrivals } = await one.exchange({ release: records('a') })
      assert.deepEqual(listIds(arrivals), ['a'])
      assert.equal((await one.store.readFleet()).records, 2)
    })

    it('may be found dead by an owner with a box of its own', async () => {
      const one = createOwner('one', 'fleet')
      await one.exchange({ append: records('a', 'b') })
      await one.exchange({ claim: ['a'] })
      await setup.advance(LEASE_MS + 1)
      const own = await createOwner('own', 'own').exchange()
      assert.deepEqual([listIds(own.orphans), own.arrivals], [['a'], []])
      const next = await createOwner('next', 'fleet').exchange()
      assert.deepEqual([next.isSender, next.isFailover], [true, true])
      assert.deepEqual(listIds(next.arrivals), ['b'])
    })

    it('adopts the box of a dead owner that had one', async () => {
      await createOwner('own', 'own').exchange({ append: records('a') })
      await setup.advance(LEASE_MS + 1)
      const sender = createOwner('sender', 'fleet')
      assert.deepEqual(listIds((await sender.exchange()).arrivals), ['a'])
      assert.deepEqual((await sender.exchange({ claim: ['a'] })).claimed, ['a'])
    })
  })

  describe('calls', () => {
    const callsTtlMs = 60_000

    it('are told to the next sender by their age, oldest first', async () => {
      const [one, two] = createPair('fleet')
      assert.deepEqual((await one.exchange({ callsTtlMs })).callAgesMs, [])
      await one.exchange({ calls: 2, callsTtlMs })
      await setup.advance(5_000)
      const later = await one.exchange({ calls: 1, callsTtlMs })
      assert.equal(later.callAgesMs, undefined)
      await setup.advance(LEASE_MS + 1)
      const { callAgesMs } = await two.exchange({ callsTtlMs })
      assert(callAgesMs)
      const seconds = callAgesMs.map((ageMs) => Math.round(ageMs / 1_000))
      assert.deepEqual(seconds, [15, 15, 10])
    })

    it('are forgotten after their time', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ calls: 3, callsTtlMs })
      await setup.advance(40_000)
      await one.exchange({ calls: 1, callsTtlMs })
      await setup.advance(20_001)
      const { callAgesMs } = await two.exchange({ callsTtlMs })
      assert.equal(callAgesMs?.length, 1)
    })

    it('are not remembered without windows', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ calls: 3, callsTtlMs: 0 })
      await one.exchange({ isLeaving: true })
      assert.deepEqual((await two.exchange({ callsTtlMs })).callAgesMs, [])
    })

    it('of the last step of an owner that leaves are remembered', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ callsTtlMs })
      await one.exchange({ calls: 2, callsTtlMs, isLeaving: true })
      assert.equal((await two.exchange({ callsTtlMs })).callAgesMs?.length, 2)
    })

    it('are told again in a resync, since the response that told them was lost', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ calls: 2, callsTtlMs })
      await setup.advance(LEASE_MS + 1)
      await two.exchangeInVain({ callsTtlMs })
      const again = await two.exchange({ callsTtlMs, isResync: true })
      assert.equal(again.callAgesMs?.length, 2)
      assert.equal(again.isFailover, true)
      assert.equal((await two.exchange({ callsTtlMs })).callAgesMs, undefined)
    })

    it('are counted once if their step is repeated', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ callsTtlMs })
      await one.exchangeInVain({ calls: 2, callsTtlMs })
      const again = await one.exchange({ calls: 2, callsTtlMs, isResync: true })
      assert.equal(again.callAgesMs?.length, 2)
      await one.exchange({ calls: 2, callsTtlMs })
      await one.exchange({ isLeaving: true, callsTtlMs })
      assert.equal((await two.exchange({ callsTtlMs })).callAgesMs?.length, 4)
    })

    it('of a whole day are told', async () => {
      const [one, two] = createPair('fleet')
      for (let n = 0; n < 10; n += 1) {
        await one.exchange({ calls: 1_000, callsTtlMs: 86_400_000 })
        await setup.advance(1_000)
      }
      await setup.advance(LEASE_MS)
      const { callAgesMs } = await two.exchange({ callsTtlMs: 86_400_000 })
      assert.equal(callAgesMs?.length, 10_000)
    })
  })

  describe('pause', () => {
    const pair = async () => {
      const [one, two] = createPair('own')
      await one.exchange({ append: records('a', 'b', 'c', 'd') })
      await two.exchange({ append: records('p', 'q', 'r', 's') })
      return [one, two] as const
    }

    it('stops the claims of all but the owner that set it', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      assert.deepEqual((await two.exchange({ claim: ['p', 'q'] })).claimed, [])
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a', 'b'])
      assert.deepEqual((await two.exchange({ settle: ['s'], append: records('t') })).receipts, [
        'accepted',
      ])
    })

    it('begins after the claims of its own step', async () => {
      const [one, two] = await pair()
      const first = await one.exchange({ claim: ['a'], pauseMs: 8_000 })
      assert.deepEqual(first.claimed, ['a'])
      assert.deepEqual((await one.exchange({ pauseMs: 0 })).claimed, [])
      assert.deepEqual((await two.exchange({ claim: ['p'], pauseMs: 8_000 })).claimed, ['p'])
      assert.deepEqual((await one.exchange({ claim: ['b'] })).claimed, [])
    })

    it('is not ended by another owner', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await two.exchange({ pauseMs: 0 })
      assert.deepEqual((await two.exchange({ claim: ['p'] })).claimed, [])
      await one.exchange({ pauseMs: 0 })
      assert.deepEqual((await two.exchange({ claim: ['p', 'q'] })).claimed, ['p', 'q'])
    })

    it('is not shortened by another owner, but by its own', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await two.exchange({ pauseMs: 2_000 })
      await setup.advance(2_001)
      assert.deepEqual((await two.exchange({ claim: ['p', 'q'] })).claimed, [])
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a', 'b'])
      await one.exchange({ pauseMs: 1_000 })
      await setup.advance(1_001)
      assert.deepEqual((await two.exchange({ claim: ['p', 'q'] })).claimed, ['p'])
    })

    it('is prolonged by another owner, whose pause it then is', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 2_000 })
      await two.exchange({ pauseMs: 8_000 })
      await one.exchange({ pauseMs: 0 })
      assert.deepEqual((await one.exchange({ claim: ['a'] })).claimed, [])
      assert.deepEqual((await two.exchange({ claim: ['p', 'q'] })).claimed, ['p', 'q'])
    })

    it('of a probe is not taken from its owner by a shorter one', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 1_000 })
      await setup.advance(1_001)
      assert.deepEqual((await two.exchange({ claim: ['p'], probeMs: 5_000 })).claimed, ['p'])
      await one.exchange({ pauseMs: 2_000 })
      assert.deepEqual((await one.exchange({ claim: ['a'] })).claimed, [])
      await two.exchange({ settle: ['p'], pauseMs: 0 })
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a', 'b'])
    })

    it('is not prolonged by a step that is repeated', async () => {
      const [one, two] = await pair()
      await one.exchange()
      const step = { pauseMs: 8_000, settle: ['a'] }
      await one.exchangeInVain(step)
      await setup.advance(5_000)
      await one.exchange({ ...step, isResync: true })
      await setup.advance(4_000)
      assert.deepEqual((await two.exchange({ claim: ['p'] })).claimed, ['p'])
    })

    it('gives one record to the first owner that claims after it, and then none', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await setup.advance(8_001)
      assert.deepEqual((await two.exchange({ claim: ['x', 'q', 'p'] })).claimed, ['q'])
      assert.deepEqual((await one.exchange({ claim: ['a'] })).claimed, [])
      assert.deepEqual((await two.exchange({ claim: ['p'] })).claimed, [])
    })

    it('is not probed by an owner that finds nothing to claim', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await setup.advance(8_001)
      assert.deepEqual((await two.exchange({ claim: [] })).claimed, [])
      assert.deepEqual((await two.exchange({ claim: ['a'] })).claimed, [])
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a'])
    })

    it('ends when the probe succeeds', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await setup.advance(8_001)
      await two.exchange({ claim: ['p'] })
      await two.exchange({ settle: ['p'], pauseMs: 0 })
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a', 'b'])
      assert.deepEqual((await two.exchange({ claim: ['q', 'r'] })).claimed, ['q', 'r'])
    })

    it('goes on when the probe fails', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await setup.advance(8_001)
      await two.exchange({ claim: ['p'], probeMs: 5_000 })
      await two.exchange({ release: records('p'), pauseMs: 9_000 })
      await setup.advance(8_000)
      assert.deepEqual((await one.exchange({ claim: ['a'] })).claimed, [])
      await setup.advance(1_001)
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a'])
    })

    it('gives another owner a probe when the first has no answer in time', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 8_000 })
      await setup.advance(8_001)
      await two.exchange({ claim: ['p'], probeMs: 5_000 })
      await setup.advance(4_000)
      assert.deepEqual((await one.exchange({ claim: ['a'] })).claimed, [])
      await setup.advance(1_001)
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a'])
      assert.deepEqual((await two.exchange({ claim: ['q'] })).claimed, [])
    })

    it('outlives the owner that set it', async () => {
      const [one, two] = await pair()
      await one.exchange({ pauseMs: 60_000, isLeaving: true })
      assert.deepEqual((await two.exchange({ claim: ['p'] })).claimed, [])
      await setup.advance(60_001)
      assert.deepEqual((await two.exchange({ claim: ['p', 'q'] })).claimed, ['p'])
    })

    it('stops the next sender too', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ append: records('a', 'b'), pauseMs: 60_000 })
      await setup.advance(LEASE_MS + 1)
      await two.exchange()
      assert.deepEqual((await two.exchange({ claim: ['a'] })).claimed, [])
      await setup.advance(60_000)
      assert.deepEqual((await two.exchange({ claim: ['a', 'b'] })).claimed, ['a'])
    })

    it('gives a process that is not the sender no probe', async () => {
      const [one, two] = createPair('fleet')
      await one.exchange({ append: records('a', 'b'), pauseMs: 1_000 })
      await setup.advance(1_001)
      assert.deepEqual((await two.exchange({ claim: ['a'] })).claimed, [])
      assert.deepEqual((await one.exchange({ claim: ['a', 'b'] })).claimed, ['a'])
    })
  })

  describe('figures', () => {
    it('are the sums of all owners', async () => {
      const [one, two] = createPair('own')
      await one.exchange({ figures: { tracked: 5, delivered: 3, held: 1 } })
      await two.exchange({ figures: { tracked: 1, rejected: 2 } })
      const { figures } = await one.store.readFleet()
      assert.deepEqual({ ...figures }, { tracked: 6, delivered: 3, held: 1, rejected: 2 })
    })

    it('replace those that the owner sent before', async () => {
      const one = createOwner('one', 'own')
      await one.exchange({ figures: { tracked: 5, held: 1 } })
      await one.exchange({ figures: { tracked: 7 } })
      assert.deepEqual({ ...(await one.store.readFleet()).figures }, { tracked: 7 })
    })

    it('of past owners stay, except what counts no outcome', async () => {
      const [one, two] = createPair('own')
      const figures = { tracked: 5, delivered: 3, held: 1, unstored: 1 }
      await one.exchange({ figures })
      await setup.advance(LEASE_MS + 1)
      await two.exchange({ figures })
      await two.exchange({ figures, isLeaving: true })
      const sums = { tracked: 10, delivered: 6 }
      assert.deepEqual({ ...(await one.store.readFleet()).figures }, sums)
      await createOwner('three', 'own').exchange({ figures: { tracked: 1 } })
      const all = await one.store.readFleet()
      assert.deepEqual({ ...all.figures }, { tracked: 11, delivered: 6 })
    })

    it('count the records, waiting or claimed', async () => {
      const [one, two] = createPair('own')
      await one.exchange({ append: records('a', 'b') })
      await two.exchange({ append: records('c'), claim: ['c'] })
      await one.exchange({ claim: ['a'] })
      assert.equal((await two.store.readFleet()).records, 3)
    })

    it('of nobody are empty', async () => {
      const { store } = createOwner('one', 'own')
      assert.deepEqual(await store.readFleet(), { figures: {}, records: 0 })
    })
  })
}
