import assert from 'node:assert/strict'
import type { Claim } from '../../../lib/delivery/outbox/outbox.js'
import { SharedOutbox } from '../../../lib/delivery/outbox/shared-outbox.js'
import type { NewRecord, Store } from '../../../lib/delivery/outbox/store.js'
import type { Impression } from '../../../lib/impression.js'
import { createImpressionFactory } from '../impressions.js'
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
  const TIMEOUT_MS = 3_000

  function createFleet() {
    const clock = new VirtualClock()
    const store = new FailingStore(new MemoryStore(clock.now))
    const options = createOutboxOptions({ longestWindowMs: 60_000, timeoutMs: TIMEOUT_MS, clock })
    const open = async () => {
      const outbox = new SharedOutbox(store, options, LEASE_MS)
      const histories: (readonly number[])[] = []
      outbox.recover({
        ...IGNORED_EVENTS,
        onCallHistory: (agesMs) => histories.push(agesMs),
      })
      await clock.advanceAsync(100)
      return { outbox, histories }
    }
    return { clock, store, open }
  }

  it('is not told again to the sender, which knows its calls better than the store', async () => {
    const { clock, store, open } = createFleet()
    const { outbox, histories } = await open()
    store.fails = 'after'
    outbox.onCall()
    await clock.advanceAsync(100)
    outbox.onCall()
    outbox.onCall()
    store.fails = 'never'
    await clock.advanceAsync(2_000)
    assert.deepEqual(histories, [[]])
  })

  it('is told to the next sender if the answer that made it the sender was lost', async () => {
    const { clock, store, open } = createFleet()
    const one = await open()
    one.outbox.onCall()
    await clock.advanceAsync(100)
    await Promise.all([one.outbox.leave(), clock.advanceAsync(100)])
    store.fails = 'after'
    const two = await open()
    store.fails = 'never'
    await clock.advanceAsync(2_000)
    assert.deepEqual(
      two.histories.map(({ length }) => length),
      [1],
    )
  })

  it('has each call end as late as it may have, and is kept for so long', async () => {
    const { clock, open } = createFleet()
    const one = await open()
    one.outbox.onCall()
    await clock.advanceAsync(60_000)
    one.outbox.onCall()
    await clock.advanceAsync(2_000)
    await Promise.all([one.outbox.leave(), clock.advanceAsync(200)])
    const { histories } = await open()
    assert.deepEqual(
      histories.map((agesMs) => agesMs.map((ageMs) => Math.floor(ageMs / 1_000))),
      [[59, -1]],
    )
  })

  it('has the calls that a dead sender may have begun, once, for each sender after it', async () => {
    const { clock, store, open } = createFleet()
    const dead = await open()
    const owner = store.lastOwner
    store.isAffected = (request) => request.owner === owner
    dead.outbox.onCall()
    await clock.advanceAsync(100)
    store.fails = 'before'
    let begun = 1
    for (; dead.outbox.mayCall; begun += 1) dead.outbox.onCall()
    const next = await open()
    await clock.advanceAsync(LEASE_MS * 2)
    assert.deepEqual(
      next.histories.map(({ length }) => length),
      [begun],
    )
    store.fails = 'never'
    await clock.advanceAsync(2_000)
    await Promise.all([next.outbox.leave(), clock.advanceAsync(LEASE_MS)])
    assert.deepEqual(
      dead.histories.map(({ length }) => length),
      [0, begun],
    )
  })

  it('has the calls of a sender that a store without its data had not confirmed', async () => {
    const { clock, store, open } = createFleet()
    const { outbox } = await open()
    store.fails = 'before'
    outbox.onCall()
    await clock.advanceAsync(100)
    outbox.onCall()
    store.loseData(new MemoryStore(clock.now))
    store.fails = 'never'
    await clock.advanceAsync(2_000)
    await Promise.all([outbox.leave(), clock.advanceAsync(100)])
    const { histories } = await open()
    assert.deepEqual(
      histories.map(({ length }) => length),
      [2],
    )
  })
})

describe('an outbox whose append was answered too late', () => {
  it('does not send again what the sender had claimed before it died', async () => {
    const clock = new VirtualClock()
    const store = new MemoryStore(clock.now)
    const options = createOutboxOptions({ clock, longestWindowMs: 60_000 })
    let isAnswerLost = false
    const exchange: Store['exchange'] = async (request) => {
      const response = await store.exchange(request)
      if (isAnswerLost) throw new Error('connection lost')
      return response
    }
    const other = { ...forwardTo(store), exchange }
    const [one, two] = [store, other].map((use) => new SharedOutbox(use, options, LEASE_MS)) as [
      SharedOutbox,
      SharedOutbox,
    ]
    const orphans: Impression[] = []
    const onOrphans = (claim: Claim) => orphans.push(...claim.impressions)
    one.recover(IGNORED_EVENTS)
    await clock.advanceAsync(100)
    two.recover({ ...IGNORED_EVENTS, onOrphans })
    await clock.advanceAsync(LEASE_MS)

    isAnswerLost = true
    const receipt = two.append(createImpressionFactory()())
    await clock.advanceAsync(200)
    const claim = one.claim(1)
    await clock.advanceAsync(100)
    assert.equal((await claim)?.impressions.length, 1)
    isAnswerLost = false
    await Promise.all([one.leave(), clock.advanceAsync(2_000)])

    assert.equal(await receipt, 'handed-over')
    assert.equal(orphans.length, 1)
    assert.equal(two.waiting, 0)
  })
})

describe('an outbox whose store has lost its last moments', () => {
  for (const list of ['arrivals', 'orphans'] as const) {
    it(`settles again what it has sent, if the store lists it among ${list}`, async () => {
      const clock = new VirtualClock()
      const store = new MemoryStore(clock.now)
      let isListed = false
      const settled: string[] = []
      const appended: NewRecord[] = []
      const exchange: Store['exchange'] = async (request) => {
        const response = await store.exchange(request)
        settled.push(...request.settle)
        appended.push(...(request.append?.records ?? []))
        return isListed ? { ...response, [list]: appended } : response
      }
      const options = createOutboxOptions({ clock })
      const outbox = new SharedOutbox({ ...forwardTo(store), exchange }, options, LEASE_MS)
      const orphans: Claim[] = []
      outbox.recover({ ...IGNORED_EVENTS, onOrphans: (claim) => orphans.push(claim) })
      await Promise.all([outbox.append(createImpressionFactory()()), clock.advanceAsync(100)])
      const [claim] = await Promise.all([outbox.claim(1), clock.advanceAsync(100)])
      assert(claim)
      const settling = outbox.settle(claim, claim.impressions, 'delivered')
      await Promise.all([settling, clock.advanceAsync(100)])
      isListed = true
      await clock.advanceAsync(LEASE_MS / 4)
      isListed = false
      await clock.advanceAsync(100)
      assert.equal(outbox.waiting, 0)
      assert.deepEqual(orphans, [])
      assert.equal(new Set(settled).size, 1)
      assert(settled.length > 1)
    })
  }
})

function forwardTo(store: Store): Store {
  return {
    exchange: (request) => store.exchange(request),
    hasArrivals: (seenUpTo) => store.hasArrivals(seenUpTo),
    readFleet: () => store.readFleet(),
    close: () => store.close(),
  }
}
