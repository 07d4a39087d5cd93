// Tests lib/delivery/outbox/store.ts

import assert from 'node:assert/strict'
import { LEASE_MS, listIds, records, StoreOwner, type StoreSetup } from './store-owner.js'

/** How each owner's records outlive it: part of the store contract. */
export function storeTakeoverContract(setUp: () => StoreSetup): void {
  let setup: StoreSetup
  let stores: StoreOwner['store'][]
  beforeEach(() => {
    setup = setUp()
    stores = []
  })
  afterEach(async () => {
    for (const store of stores) await store.close()
  })

  function createOwner(name: string, box: 'own' | 'fleet' = 'own'): StoreOwner {
    const store = setup.open()
    stores.push(store)
    return new StoreOwner(store, name, box)
  }

  /** An owner with records of which it has claimed the first ones, and that then dies. */
  async function dieWith(name: string, ids: string[], claim: string[]): Promise<StoreOwner> {
    const dead = createOwner(name)
    await dead.exchange({ append: records(...ids) })
    await dead.exchange({ claim })
    await setup.advance(LEASE_MS + 1)
    return dead
  }

  it('keeps its id, also when its owners have left', async () => {
    const [one, two] = [createOwner('1'), createOwner('2')]
    const unknown = await one.exchange({ isNew: false })
    assert.equal(unknown.storeId, '')
    const { storeId } = await one.exchange({ isNew: true })
    assert(storeId.length > 0)
    assert.equal((await two.exchange()).storeId, storeId)
    assert.equal((await one.exchange({ isLeaving: true })).storeId, storeId)
    assert.equal((await one.exchange()).storeId, storeId)
    await two.exchange({ isLeaving: true })
    assert.equal((await createOwner('3').exchange()).storeId, storeId)
  })

  it('does nothing for an owner that it does not know', async () => {
    const owner = createOwner('one')
    const response = await owner.exchange({
      isNew: false,
      append: records('a'),
      calls: 1,
      callsTtlMs: 1_000,
      pauseMs: 1_000,
      figures: { tracked: 1 },
    })
    assert.equal(response.isLost, true)
    assert.deepEqual(response.receipts, [])
    assert.deepEqual(await owner.store.readFleet(), { figures: {}, records: 0 })
    const other = createOwner('other', 'fleet')
    assert.deepEqual((await other.exchange({ callsTtlMs: 1_000 })).callAgesMs, [])
  })

  it('registers an owner again whose response was lost', async () => {
    const owner = createOwner('one')
    await owner.exchangeInVain({ append: { number: 1, records: records('a') } })
    const again = await owner.exchange({ append: { number: 1, records: records('a') } })
    assert.equal(again.isLost, false)
    assert.deepEqual(again.receipts, ['accepted'])
    assert.equal((await owner.store.readFleet()).records, 1)
  })

  it('gives every owner that it knows a new lease after an outage of the store', async () => {
    const late = await dieWith('late', ['a'], [])
    const finder = createOwner('finder')
    const first = await finder.exchange({ isResync: true, outageMs: LEASE_MS })
    assert.deepEqual(first.arrivals, [])
    assert.equal((await late.exchange({ settle: ['a'] })).isLost, false)
    await setup.advance(LEASE_MS + 1)
    await finder.exchange()
    assert.equal((await late.exchange()).isLost, true)
  })

  it('gives an owner a new lease whose own is about to end after an outage', async () => {
    const [late, finder] = [createOwner('late'), createOwner('finder')]
    await late.exchange({ append: records('a') })
    await setup.advance(LEASE_MS - 1)
    await finder.exchange({ isResync: true, outageMs: LEASE_MS / 2 })
    await setup.advance(LEASE_MS - 1)
    assert.deepEqual((await finder.exchange()).arrivals, [])
    assert.equal((await late.exchange()).isLost, false)
  })

  it('shortens no lease after an outage', async () => {
    const [owner, finder] = [createOwner('one'), createOwner('finder')]
    await owner.exchange({ append: records('a'), leaseMs: 60_000 })
    await finder.exchange({ outageMs: 5_000 })
    await setup.advance(50_000)
    assert.deepEqual((await finder.exchange()).arrivals, [])
  })

  it('takes over from an owner whose lease had ended before the outage', async () => {
    await dieWith('dead', ['a', 'b'], ['b'])
    await setup.advance(5_000)
    const { arrivals, orphans } = await createOwner('finder').exchange({ outageMs: 5_000 })
    assert.deepEqual([listIds(arrivals), listIds(orphans)], [['a'], ['b']])
  })

  it('gives an owner one lease, however often the store fails for others', async () => {
    const [dead, flaky] = [createOwner('dead'), createOwner('flaky')]
    await dead.exchange({ append: records('a') })
    const arrived: string[] = []
    for (let n = 0; n < 3; n += 1) {
      await setup.advance(LEASE_MS * 0.9)
      const { arrivals } = await flaky.exchange({ isResync: n > 0, outageMs: LEASE_MS * 0.7 })
      arrived.push(...listIds(arrivals))
    }
    assert.deepEqual(arrived, ['a'])
  })

  it('gives an owner another lease after the next outage if it has done a step since', async () => {
    const [owner, finder] = [createOwner('one'), createOwner('finder')]
    await owner.exchange()
    for (let n = 0; n < 3; n += 1) {
      await setup.advance(LEASE_MS + 1)
      await finder.exchange({ outageMs: LEASE_MS })
      assert.equal((await owner.exchange()).isLost, false)
    }
  })

  it('keeps each own box to its owner', async () => {
    const [owner, other] = [createOwner('one'), createOwner('other')]
    await owner.exchange({ append: records('a', 'b') })
    await owner.exchange({ claim: ['a'] })
    const { claimed, arrivals } = await other.exchange({
      claim: ['a', 'b'],
      release: records('a', 'b'),
      settle: ['a', 'b'],
    })
    assert.deepEqual(claimed, [])
    assert.deepEqual(arrivals, [])
    assert.deepEqual((await owner.exchange({ isResync: true })).orphans, [
      { id: 'a', payload: 'payload of a' },
    ])
    assert.deepEqual((await owner.exchange({ claim: ['b'] })).claimed, ['b'])
  })

  it('counts the other owners whose lease has not expired', async () => {
    const [one, two, three] = [createOwner('1'), createOwner('2'), createOwner('3')]
    assert.equal((await one.exchange()).others, 0)
    assert.equal((await two.exchange()).others, 1)
    assert.equal((await three.exchange()).others, 2)
    await setup.advance(LEASE_MS - 1_000)
    assert.equal((await one.exchange()).others, 2)
    await setup.advance(2_000)
    assert.equal((await one.exchange()).others, 0)
  })

  it('renews the lease with each exchange', async () => {
    const [owner, other] = [createOwner('one'), createOwner('other')]
    await owner.exchange({ append: records('a') })
    for (let n = 0; n < 3; n += 1) {
      await setup.advance(LEASE_MS - 1_000)
      assert.equal((await owner.exchange()).isLost, false)
      assert.deepEqual((await other.exchange()).arrivals, [])
    }
  })

  it('grants each lease for as long as the owner said', async () => {
    const [owner, other] = [createOwner('one'), createOwner('other')]
    await owner.exchange({ append: records('a'), leaseMs: 60_000 })
    await setup.advance(50_000)
    assert.deepEqual((await other.exchange({ leaseMs: 1_000 })).arrivals, [])
    await setup.advance(10_001)
    assert.deepEqual(listIds((await other.exchange({ leaseMs: 1_000 })).arrivals), ['a'])
  })

  it('goes on with an owner that was late, if nobody has found it so', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a') })
    await setup.advance(LEASE_MS * 5)
    const { isLost, claimed } = await owner.exchange({ claim: ['a'] })
    assert.equal(isLost, false)
    assert.deepEqual(claimed, ['a'])
  })

  it('moves what waited in the box of a dead owner to the one that finds it', async () => {
    await dieWith('dead', ['a', 'b', 'c'], ['b'])
    const finder = createOwner('finder')
    const { arrivals } = await finder.exchange()
    assert.deepEqual(arrivals, [
      { id: 'a', payload: 'payload of a' },
      { id: 'c', payload: 'payload of c' },
    ])
    assert.deepEqual((await finder.exchange({ claim: ['a', 'c'] })).claimed, ['a', 'c'])
    assert.equal((await finder.store.readFleet()).records, 3)
  })

  it('moves it behind what waits there', async () => {
    const finder = createOwner('finder')
    await finder.exchange({ append: records('z'), leaseMs: 60_000 })
    await dieWith('dead', ['a', 'b'], [])
    const { arrivals } = await finder.exchange({ seenUpTo: 0 })
    assert.deepEqual(listIds(arrivals), ['z', 'a', 'b'])
  })

  it('gives what a dead owner had claimed to the one that finds it, as orphans', async () => {
    await dieWith('dead', ['a', 'b', 'c'], ['c', 'a'])
    const [finder, other] = [createOwner('finder'), createOwner('other')]
    const { orphans } = await finder.exchange()
    assert.deepEqual(listIds(orphans).sort(), ['a', 'c'])
    assert.equal(orphans[0]?.payload, `payload of ${orphans[0]?.id}`)
    assert.deepEqual((await finder.exchange()).orphans, [])
    assert.deepEqual((await other.exchange()).orphans, [])
    assert.deepEqual((await other.exchange({ claim: ['a'] })).claimed, [])
    await finder.exchange({ settle: ['a'], release: records('c') })
    assert.deepEqual((await finder.exchange({ claim: ['a', 'c'] })).claimed, ['c'])
  })

  it('takes over from all dead owners', async () => {
    const dead = [createOwner('1'), createOwner('2'), createOwner('3')]
    for (const owner of dead) {
      await owner.exchange({ append: records(`${owner.name}a`, `${owner.name}b`) })
      await owner.exchange({ claim: [`${owner.name}a`] })
    }
    await setup.advance(LEASE_MS + 1)
    const { arrivals, orphans } = await createOwner('finder').exchange()
    assert.deepEqual(listIds(arrivals).sort(), ['1b', '2b', '3b'])
    assert.deepEqual(listIds(orphans).sort(), ['1a', '2a', '3a'])
  })

  it('takes over what the dead owner had taken over', async () => {
    await dieWith('first', ['a', 'b'], ['a'])
    await createOwner('second').exchange()
    await setup.advance(LEASE_MS + 1)
    const { arrivals, orphans } = await createOwner('third').exchange()
    assert.deepEqual([listIds(arrivals), listIds(orphans)], [['b'], ['a']])
  })

  it('does nothing for an owner that others took over from', async () => {
    const dead = await dieWith('dead', ['a', 'b'], ['a'])
    const finder = createOwner('finder')
    await finder.exchange()
    const response = await dead.exchange({
      settle: ['a', 'b'],
      release: records('a'),
      claim: ['b'],
      append: records('c'),
      figures: { tracked: 100 },
      isLeaving: true,
    })
    assert.equal(response.isLost, true)
    assert.deepEqual(response.claimed, [])
    assert.deepEqual(response.receipts, [])
    assert.deepEqual(response.arrivals, [])
    assert.deepEqual(response.orphans, [])
    assert.deepEqual(await finder.store.readFleet(), { figures: {}, records: 2 })
    assert.deepEqual(listIds((await finder.exchange({ isResync: true })).orphans), ['a'])
  })

  it('tells a lost owner that its last step was done, and the receipts', async () => {
    const owner = createOwner('one')
    await owner.exchange()
    const append = { number: 1, records: records('a', 'b') }
    await owner.exchangeInVain({ append, maxPending: 1 })
    await setup.advance(LEASE_MS + 1)
    const finder = createOwner('finder')
    await finder.exchange()
    await setup.advance(12 * 3_600_000)
    await finder.exchange()
    const { isLost, wasDone, receipts } = await owner.exchange({ append, isResync: true })
    assert.equal(isLost, true)
    assert.equal(wasDone, true)
    assert.deepEqual(receipts, ['accepted', 'overflow'])
    assert.equal((await owner.store.readFleet()).records, 1)
  })

  it('tells a lost owner that its last step was not done', async () => {
    const owner = await dieWith('one', ['a'], [])
    await createOwner('finder').exchange()
    for (const isResync of [false, true]) {
      const { wasDone, receipts } = await owner.exchange({ append: records('b'), isResync })
      assert.equal(wasDone, false)
      assert.deepEqual(receipts, [])
    }
  })

  it('tells an owner that has left that its last step was done', async () => {
    const owner = createOwner('one')
    await owner.exchange()
    const append = { number: 1, records: records('a') }
    await owner.exchangeInVain({ append, isLeaving: true })
    const { isLost, wasDone, receipts } = await owner.exchange({
      append,
      isLeaving: true,
      isResync: true,
    })
    assert.deepEqual([isLost, wasDone, receipts], [true, true, ['accepted']])
  })

  it('has forgotten the last step of a lost owner after a day', async () => {
    const owner = await dieWith('one', [], [])
    await createOwner('finder').exchange()
    await setup.advance(24 * 3_600_000)
    await createOwner('other').exchange()
    const { isLost, wasDone } = await owner.exchange({ isResync: true })
    assert.deepEqual([isLost, wasDone], [true, undefined])
  })

  it('moves at most 1,000 records in a step, and the rest next', async () => {
    const ids = Array.from({ length: 2_600 }, (_, n) => `r${n}`)
    const dead = await dieWith('dead', ids, ids.slice(0, 1_300))
    const finders = [createOwner('1'), createOwner('2')]
    const [arrived, orphaned]: [string[], string[]] = [[], []]
    for (let n = 0; n < 6; n += 1) {
      const response = await finders[n % 2]?.exchange()
      assert(response)
      assert(response.orphans.length <= 1_000 && response.arrivals.length <= 1_000)
      arrived.push(...listIds(response.arrivals))
      orphaned.push(...listIds(response.orphans))
      assert.equal((await dead.exchange()).isLost, true)
    }
    assert.deepEqual(orphaned.sort(), ids.slice(0, 1_300).sort())
    assert.deepEqual(arrived.sort(), ids.slice(1_300).sort())
  })

  it('knows an owner as dead while records of it are left', async () => {
    const ids = Array.from({ length: 1_500 }, (_, n) => `r${n}`)
    const dead = await dieWith('dead', ids, [])
    const finder = createOwner('finder')
    await finder.exchange()
    const again = await dead.exchange({ isNew: true, claim: ids })
    assert.equal(again.isLost, true)
    assert.equal((await finder.exchange()).others, 0)
  })

  it('gives what an owner that leaves has not claimed to the others at once', async () => {
    const [owner, other] = [createOwner('one'), createOwner('other')]
    await owner.exchange({ append: records('a', 'b') })
    await owner.exchange({ claim: ['a'] })
    const last = await owner.exchange({ isLeaving: true, append: records('c') })
    assert.deepEqual(last.receipts, ['accepted'])
    const { arrivals, orphans, others } = await other.exchange()
    assert.deepEqual(listIds(arrivals), ['b', 'c'])
    assert.deepEqual(listIds(orphans), ['a'])
    assert.equal(others, 0)
    assert.equal((await owner.exchange()).isLost, true)
  })

  it('keeps what the last owner leaves for the next one', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a') })
    await owner.exchange({ isLeaving: true })
    await setup.advance(24 * 60 * 60_000)
    assert.deepEqual(listIds((await createOwner('next').exchange()).arrivals), ['a'])
  })

  it('lets an owner that leaves take over nothing', async () => {
    const owner = createOwner('one')
    await owner.exchange({ leaseMs: 60_000 })
    await dieWith('dead', ['a', 'b'], ['a'])
    const { arrivals, orphans } = await owner.exchange({ isLeaving: true })
    assert.deepEqual([arrivals, orphans], [[], []])
    const finder = await createOwner('finder').exchange()
    assert.deepEqual([listIds(finder.arrivals), listIds(finder.orphans)], [['b'], ['a']])
  })
}
