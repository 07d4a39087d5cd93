// Tests lib/delivery/outbox/store.ts

import assert from 'node:assert/strict'
import type { NewRecord } from '../../../lib/delivery/outbox/store.js'
import { storeFleetContract } from './store-fleet-contract.js'
import { LEASE_MS, listIds, records, StoreOwner, type StoreSetup } from './store-owner.js'
import { storeTakeoverContract } from './store-takeover-contract.js'

/** The behaviour of every store. `setUp` returns an empty one. */
export function storeContract(name: string, setUp: () => StoreSetup): void {
  describe(`store contract: ${name}`, () => {
    describe('one owner', () => recordsContract(setUp))
    describe('dedupe keys', () => dedupeContract(setUp))
    describe('takeover', () => storeTakeoverContract(setUp))
    describe('the fleet', () => storeFleetContract(setUp))
  })
}

function recordsContract(setUp: () => StoreSetup): void {
  let setup: StoreSetup
  let owner: StoreOwner
  beforeEach(() => {
    setup = setUp()
    owner = new StoreOwner(setup.open(), 'one')
  })
  afterEach(() => owner.store.close())

  const countRecords = async () => (await owner.store.readFleet()).records

  it('does nothing for an empty request', async () => {
    const response = await owner.exchange()
    assert.deepEqual(response, {
      storeId: response.storeId,
      isLost: false,
      wasDone: undefined,
      receipts: [],
      isFull: false,
      claimed: [],
      arrivals: [],
      seenUpTo: response.seenUpTo,
      orphans: [],
      isSender: true,
      others: 0,
      callAgesMs: undefined,
      isFailover: false,
    })
  })

  it('appends records, which wait in order', async () => {
    const { receipts } = await owner.exchange({ append: records('b', 'a', 'c') })
    assert.deepEqual(receipts, ['accepted', 'accepted', 'accepted'])
    assert.deepEqual((await owner.exchange({ seenUpTo: 0 })).arrivals, records('b', 'a', 'c'))
    assert.equal(await countRecords(), 3)
  })

  it('does not list as arrivals what the same step has appended', async () => {
    assert.deepEqual((await owner.exchange({ append: records('a') })).arrivals, [])
    assert.deepEqual((await owner.exchange({ append: records('b') })).arrivals, [])
    assert.deepEqual((await owner.exchange()).arrivals, [])
  })

  it('lists arrivals once', async () => {
    await owner.exchange({ append: records('a') })
    await owner.exchange({ claim: ['a'] })
    const { arrivals } = await owner.exchange({ release: records('a'), append: records('b') })
    assert.deepEqual(listIds(arrivals), ['a'])
    assert.deepEqual((await owner.exchange()).arrivals, [])
  })

  it('lists arrivals again after a response was lost', async () => {
    await owner.exchange()
    await owner.exchangeInVain({ append: records('a') })
    assert.deepEqual(listIds((await owner.exchange()).arrivals), ['a'])
  })

  it('lists at most 1,000 arrivals, and the others next', async () => {
    const ids = Array.from({ length: 2_500 }, (_, n) => `r${n}`)
    const arrived: string[] = []
    const lengths: number[] = []
    await owner.exchangeInVain({ append: records(...ids) })
    for (const append of [records('one more'), undefined, undefined, undefined]) {
      const { arrivals } = await owner.exchange(append ? { append } : {})
      arrived.push(...listIds(arrivals))
      lengths.push(arrivals.length)
    }
    assert.deepEqual(lengths, [1_000, 1_000, 501, 0])
    assert.deepEqual(arrived, [...ids, 'one more'])
  })

  it('knows whether anything has been appended since', async () => {
    const other = new StoreOwner(setup.open(), 'other')
    await owner.exchange({ append: records('a') })
    assert.equal(await owner.store.hasArrivals(owner.seenUpTo), false)
    assert.equal(await owner.store.hasArrivals(0), true)
    await other.exchange({ append: records('b') })
    assert.equal(await owner.store.hasArrivals(owner.seenUpTo), true)
    await owner.exchange()
    assert.equal(await owner.store.hasArrivals(owner.seenUpTo), false)
    await other.store.close()
  })

  it('claims waiting records, and counts what the owner has claimed already as claimed', async () => {
    await owner.exchange({ append: records('a', 'b', 'c') })
    assert.deepEqual((await owner.exchange({ claim: ['c', 'a'] })).claimed, ['c', 'a'])
    assert.deepEqual((await owner.exchange({ claim: ['a', 'b', 'x'] })).claimed, ['a', 'b'])
  })

  it('lists a record that was claimed before it was seen nowhere else', async () => {
    await owner.exchangeInVain({ append: records('a', 'b') })
    const { claimed, arrivals } = await owner.exchange({ claim: ['a'] })
    assert.deepEqual(claimed, ['a'])
    assert.deepEqual(listIds(arrivals), ['b'])
  })

  it('claims before it appends', async () => {
    const { claimed } = await owner.exchange({ append: records('a'), claim: ['a'] })
    assert.deepEqual(claimed, [])
  })

  it('settles waiting and claimed records', async () => {
    await owner.exchange({ append: records('a', 'b', 'c') })
    await owner.exchange({ claim: ['a'] })
    await owner.exchange({ settle: ['a', 'b', 'x'] })
    assert.equal(await countRecords(), 1)
    assert.deepEqual((await owner.exchange({ claim: ['a', 'b', 'c'] })).claimed, ['c'])
  })

  it('releases claimed records to the end of the box, with a new payload', async () => {
    await owner.exchange({ append: records('a', 'b', 'c') })
    await owner.exchange({ claim: ['a', 'b'] })
    const release = [
      { id: 'b', payload: 'b again' },
      { id: 'a', payload: 'a again' },
    ]
    const { arrivals } = await owner.exchange({ release, append: records('d') })
    assert.deepEqual(listIds(arrivals), ['b', 'a'])
    assert.equal(arrivals[0]?.payload, 'b again')
    assert.deepEqual((await owner.exchange({ claim: ['a', 'b'] })).claimed, ['a', 'b'])
    assert.equal(await countRecords(), 4)
  })

  it('does not release what the owner has not claimed', async () => {
    await owner.exchange({ append: records('a') })
    const release = ['a', 'x'].map((id) => ({ id, payload: 'changed' }))
    assert.deepEqual((await owner.exchange({ release })).arrivals, [])
    const again = await owner.exchange({ seenUpTo: 0 })
    assert.deepEqual(again.arrivals, [{ id: 'a', payload: 'payload of a' }])
  })

  it('settles, releases and claims in this order', async () => {
    await owner.exchange({ append: records('a', 'b') })
    await owner.exchange({ claim: ['a', 'b'] })
    const { claimed } = await owner.exchange({
      settle: ['a'],
      release: records('a', 'b'),
      claim: ['a', 'b'],
    })
    assert.deepEqual(claimed, ['b'])
    assert.equal(await countRecords(), 1)
  })

  it('names all claimed records in a resync', async () => {
    await owner.exchange({ append: records('a', 'b', 'c') })
    await owner.exchangeInVain({ claim: ['a', 'c'] })
    assert.deepEqual((await owner.exchange()).orphans, [])
    const { orphans } = await owner.exchange({ isResync: true, claim: ['b'] })
    assert.deepEqual(listIds(orphans).sort(), ['a', 'b', 'c'])
    assert.equal(orphans.find(({ id }) => id === 'a')?.payload, 'payload of a')
  })

  it('names more than 1,000 claimed records in a resync', async () => {
    const ids = Array.from({ length: 1_500 }, (_, n) => `r${n}`)
    await owner.exchange({ append: records(...ids) })
    await owner.exchangeInVain({ claim: ids })
    const { orphans } = await owner.exchange({ isResync: true })
    assert.deepEqual(listIds(orphans).sort(), ids.sort())
  })

  it('repeats the receipts of the same append, and stores nothing', async () => {
    const append = { number: 1, records: [...records('a'), { ...one('b'), dedupeKey: 'k' }] }
    await owner.exchangeInVain({ append })
    assert.deepEqual((await owner.exchange({ append })).receipts, ['accepted', 'accepted'])
    assert.equal(await countRecords(), 2)
    await owner.exchange({ settle: ['a', 'b'] })
    assert.deepEqual((await owner.exchange({ append })).receipts, ['handed-over', 'handed-over'])
    assert.equal(await countRecords(), 0)
  })

  it('repeats receipts after steps without an append', async () => {
    const append = { number: 7, records: records('a', 'b', 'b2') }
    await owner.exchange({ append, maxPending: 2 })
    await owner.exchange({ settle: ['a'] })
    const { receipts } = await owner.exchange({ append })
    assert.deepEqual(receipts, ['handed-over', 'accepted', 'overflow'])
  })

  it('accepts a record that it has already, and stores it once', async () => {
    await owner.exchange({ append: [{ ...one('a'), dedupeKey: 'k' }] })
    const again = await owner.exchange({ append: [{ ...one('a'), dedupeKey: 'k' }] })
    assert.deepEqual(again.receipts, ['accepted'])
    assert.deepEqual(again.arrivals, [])
    assert.equal(await countRecords(), 1)
  })

  it('stores at most `maxPending` records, claimed ones included', async () => {
    const first = await owner.exchange({ append: records('a', 'b', 'c'), maxPending: 2 })
    assert.deepEqual(first.receipts, ['accepted', 'accepted', 'overflow'])
    assert.equal(await countRecords(), 2)
    await owner.exchange({ claim: ['a'] })
    const second = await owner.exchange({ append: records('d'), maxPending: 2 })
    assert.deepEqual(second.receipts, ['overflow'])
    const third = await owner.exchange({
      settle: ['a'],
      append: records('e', 'f'),
      maxPending: 2,
    })
    assert.deepEqual(third.receipts, ['accepted', 'overflow'])
  })

  it('has room for released records', async () => {
    await owner.exchange({ append: records('a', 'b') })
    await owner.exchange({ claim: ['a', 'b'] })
    const { arrivals } = await owner.exchange({ release: records('a', 'b'), maxPending: 1 })
    assert.deepEqual(listIds(arrivals), ['a', 'b'])
  })

  it('keeps ids and payloads as they are', async () => {
    const ids = ['0', 'a b', 'a:b', '{a}', 'é', '🎈', 'x'.repeat(300), '__proto__', 'null', '*']
    const append = [...ids.map(one), { id: 'odd', payload: ODD_TEXT }, { id: 'none', payload: '' }]
    await owner.exchange({ append })
    assert.deepEqual((await owner.exchange({ seenUpTo: 0 })).arrivals, append)
    const all = append.map(({ id }) => id)
    assert.deepEqual((await owner.exchange({ claim: all })).claimed, all)
    assert.deepEqual((await owner.exchange({ isResync: true })).orphans.length, all.length)
    await owner.exchange({ settle: all })
    assert.equal(await countRecords(), 0)
  })

  it('takes owners with any name', async () => {
    for (const name of ['a:b', '{o}', '🎈', '__proto__', ' ']) {
      const named = new StoreOwner(setup.open(), name)
      await named.exchange({ append: [one(`of ${name}`)] })
      assert.deepEqual((await named.exchange({ claim: [`of ${name}`] })).claimed.length, 1)
      await named.store.close()
    }
  })

  it('takes 5 MB of payloads', async () => {
    const payload = 'é'.repeat(2_500)
    const append = Array.from({ length: 1_000 }, (_, n) => ({ id: `r${n}`, payload }))
    await owner.exchange({ append })
    const { arrivals, seenUpTo } = await owner.exchange({ seenUpTo: 0 })
    assert.equal(arrivals.length, 1_000)
    assert.equal(arrivals[999]?.payload, payload)
    await owner.exchange({ append: [{ id: 'large', payload: 'x'.repeat(5e6) }] })
    const large = await owner.exchange({ seenUpTo })
    assert.equal(large.arrivals[0]?.payload.length, 5e6)
  })

  it('does one step at a time', async () => {
    const others = Array.from({ length: 4 }, (_, n) => new StoreOwner(setup.open(), `other ${n}`))
    const append = Array.from({ length: 20 }, (_, n) => n)
    const receipts = await Promise.all(
      others.flatMap((other, o) =>
        append.map(async (n) => {
          const request = { append: [one(`${o}-${n}`)], maxPending: 50 }
          return (await other.exchange({ ...request, isNew: true })).receipts
        }),
      ),
    )
    assert.equal(receipts.flat().filter((receipt) => receipt === 'accepted').length, 50)
    assert.equal(await countRecords(), 50)
    for (const { store } of others) await store.close()
  })
}

function dedupeContract(setUp: () => StoreSetup): void {
  let setup: StoreSetup
  let owner: StoreOwner
  let other: StoreOwner
  beforeEach(() => {
    setup = setUp()
    owner = new StoreOwner(setup.open(), 'one')
    other = new StoreOwner(setup.open(), 'other')
  })
  afterEach(async () => {
    await owner.store.close()
    await other.store.close()
  })

  const keyed = (id: string, dedupeKey: string): NewRecord => ({ ...one(id), dedupeKey })

  it('accepts a key once, by whichever owner', async () => {
    assert.deepEqual((await owner.exchange({ append: [keyed('a', 'k')] })).receipts, ['accepted'])
    const { receipts } = await other.exchange({ append: [keyed('b', 'k'), keyed('c', 'l')] })
    assert.deepEqual(receipts, ['duplicate', 'accepted'])
    assert.equal((await owner.store.readFleet()).records, 2)
  })

  it('accepts a key once in one append', async () => {
    const { receipts } = await owner.exchange({ append: [keyed('a', 'k'), keyed('b', 'k')] })
    assert.deepEqual(receipts, ['accepted', 'duplicate'])
  })

  it('accepts a key once of two that are appended at the same time', async () => {
    const both = await Promise.all([
      owner.exchange({ append: [keyed('a', 'k')] }),
      other.exchange({ append: [keyed('b', 'k')] }),
    ])
    const receipts = both.flatMap((response) => response.receipts)
    assert.deepEqual(receipts.sort(), ['accepted', 'duplicate'])
  })

  it('remembers a key after its record was settled', async () => {
    await owner.exchange({ append: [keyed('a', 'k')] })
    await owner.exchange({ settle: ['a'] })
    assert.deepEqual((await other.exchange({ append: [keyed('b', 'k')] })).receipts, ['duplicate'])
  })

  it('forgets a key after its time, which a duplicate does not prolong', async () => {
    const dedupeTtlMs = 8_000
    await owner.exchange({ append: [keyed('a', 'k')], dedupeTtlMs })
    await setup.advance(5_000)
    const early = await owner.exchange({ append: [keyed('b', 'k')], dedupeTtlMs })
    assert.deepEqual(early.receipts, ['duplicate'])
    await setup.advance(3_001)
    const late = await owner.exchange({ append: [keyed('c', 'k')], dedupeTtlMs })
    assert.deepEqual(late.receipts, ['accepted'])
    await setup.advance(7_000)
    const again = await owner.exchange({ append: [keyed('d', 'k')], dedupeTtlMs })
    assert.deepEqual(again.receipts, ['duplicate'])
  })

  it('does not remember the key of a record that it has no room for', async () => {
    const full = await owner.exchange({ append: [keyed('a', 'k')], maxPending: 0 })
    assert.deepEqual(full.receipts, ['overflow'])
    assert.deepEqual((await owner.exchange({ append: [keyed('b', 'k')] })).receipts, ['accepted'])
  })

  it('finds duplicates when it is full', async () => {
    await owner.exchange({ append: [keyed('a', 'k')], maxPending: 1 })
    const { receipts } = await owner.exchange({ append: [keyed('b', 'k')], maxPending: 1 })
    assert.deepEqual(receipts, ['duplicate'])
  })

  it('takes keys in any form', async () => {
    const keys = ['', ' ', 'a:b', '{k}', '🎈', '\0', 'x'.repeat(5_000), '__proto__', '*']
    const append = keys.map((key, n) => keyed(`r${n}`, key))
    const first = await owner.exchange({ append })
    assert.deepEqual(
      first.receipts,
      keys.map(() => 'accepted'),
    )
    const again = await other.exchange({ append: append.map((r) => ({ ...r, id: `${r.id}b` })) })
    assert.deepEqual(
      again.receipts,
      keys.map(() => 'duplicate'),
    )
  })

  it('remembers no key for an owner that is lost', async () => {
    await setup.advance(LEASE_MS)
    const lost = await owner.exchange({ append: [keyed('a', 'k')], isNew: false })
    assert.equal(lost.isLost, true)
    assert.deepEqual((await other.exchange({ append: [keyed('b', 'k')] })).receipts, ['accepted'])
  })
}

/** Text that a store might change. */
const ODD_TEXT = `{"a":"\\u0000"} '"\`\\ \t\r\n\0 é ü 日本語 🎈 \u2028 ${'\u{10ffff}'} "end`

function one(id: string): NewRecord {
  return { id, payload: `payload of ${id}` }
}
