// Tests lib/delivery/outbox/exchange-queue.ts
// Tests lib/delivery/outbox/lease.ts
// Tests lib/delivery/outbox/operation-queue.ts
// Tests lib/delivery/outbox/shared-pause.ts

import assert from 'node:assert/strict'
import { ExchangeQueue } from '../../../lib/delivery/outbox/exchange-queue.js'
import type { Operation } from '../../../lib/delivery/outbox/operation-queue.js'
import { VirtualClock } from '../virtual-clock.js'
import { MemoryStore } from './memory-store.js'
import { listIds, records, StoreOwner } from './store-owner.js'

const LEASE_MS = 10_000

describe('steps of a store', () => {
  /** A process that is known to the store, and the number of its steps from now on. */
  async function register({ isDownAtFirst = false } = {}) {
    const clock = new VirtualClock()
    const store = new MemoryStore(clock.now)
    let steps = 0
    const failures: string[] = []
    const arrived: string[] = []
    let isFull = false
    let isDown = isDownAtFirst
    const outages: number[] = []
    const queue = new ExchangeQueue({
      store: {
        exchange: async (request) => {
          steps += 1
          if (isDown) throw new Error('it is down')
          outages.push(request.outageMs)
          if (!isFull || !request.append) return store.exchange(request)
          return { ...(await store.exchange({ ...request, append: undefined })), isFull: true }
        },
        hasArrivals: (seenUpTo) => store.hasArrivals(seenUpTo),
        readFleet: () => store.readFleet(),
        close: () => store.close(),
      },
      clock,
      constants: {
        leaseMs: LEASE_MS,
        maxPending: 10_000,
        dedupeTtlMs: 60_000,
        callsTtlMs: 60_000,
        probeMs: 1_000,
      },
      countFigures: () => ({}),
      onResponse: ({ arrivals }) => arrived.push(...listIds(arrivals)),
      onFailure: (thrown) => failures.push(String(thrown)),
    })
    queue.schedule()
    await clock.advanceAsync(1_000)
    steps = 0
    return {
      queue,
      clock,
      store,
      failures,
      arrived,
      /** Adds an operation, and resolves to the number of steps by then when it is done. */
      add: (operation: Omit<Operation, 'onDone'>): Promise<number> =>
        new Promise((resolve) => queue.add({ ...operation, onDone: () => resolve(steps) })),
      countSteps: () => steps,
      /** For how long the store had failed, by each step that it has done. */
      outages,
      /** Whether the store fails from now on. */
      setDown(value: boolean): void {
        isDown = value
      },
      /** Whether the store has memory for appends from now on. */
      setFull(value: boolean): void {
        isFull = value
      },
    }
  }

  const append = (id: string) => ({ append: { id, payload: '{}' } })

  it('begin at once when the last one is a while ago', async () => {
    const { clock, add } = await register()
    const done = add(append('a'))
    await clock.advanceAsync(0)
    assert.equal(await done, 1)
  })

  it('do together what several pages add in a few milliseconds', async () => {
    const { clock, add } = await register()
    const done = [add(append('a'))]
    for (const id of ['b', 'c', 'd']) {
      await clock.advanceAsync(1)
      done.push(add(append(id)))
    }
    await clock.advanceAsync(20)
    assert.deepEqual(await Promise.all(done), [1, 2, 2, 2])
  })

  it('do at once what is urgent, and the rest with it', async () => {
    const { clock, add } = await register()
    const first = add(append('a'))
    await clock.advanceAsync(1)
    const others = [add({ settle: ['x'] }), add({ claim: ['a'], isUrgent: true })]
    await clock.advanceAsync(0)
    assert.deepEqual(await Promise.all([first, ...others]), [1, 2, 2])
  })

  it('begin at once when there is enough for a whole one', async () => {
    const { clock, add } = await register()
    await Promise.all([add(append('a')), clock.advanceAsync(0)])
    const done = [add({ settle: Array.from({ length: 600 }, (_, n) => `r${n}`) })]
    for (let n = 0; n < 399; n += 1) done.push(add(append(`b${n}`)))
    await clock.advanceAsync(1)
    const last = add(append('last'))
    await clock.advanceAsync(0)
    assert.deepEqual(new Set(await Promise.all([...done, last])), new Set([2]))
  })

  it('store soon which calls have been begun', async () => {
    const { clock, queue, countSteps } = await register()
    queue.countCalls(1)
    await clock.advanceAsync(0)
    queue.countCalls(1)
    queue.countCalls(1)
    await clock.advanceAsync(20)
    assert.equal(countSteps(), 2)
  })

  it('begin at once when no call may begin before the store knows of the others', async () => {
    const { clock, queue, countSteps } = await register()
    queue.countCalls(1)
    await clock.advanceAsync(0)
    for (; queue.mayCall; queue.countCalls(1));
    await clock.advanceAsync(0)
    assert.equal(countSteps(), 2)
    assert.equal(queue.mayCall, true)
  })

  it('go on without appends while the store is full, and try them each second', async () => {
    const { clock, add, store, failures, queue, setFull, countSteps } = await register()
    await Promise.all([add(append('a')), clock.advanceAsync(20)])
    setFull(true)
    const appended = [add(append('b')), add(append('c'))]
    const settled = add({ settle: ['a'] })
    await clock.advanceAsync(20)
    await settled
    const late = add({ claim: ['x'], isUrgent: true })
    await clock.advanceAsync(0)
    await late
    assert.equal((await store.readFleet()).records, 0)
    assert.match(String(failures), /^Error: it is full$/)
    const before = countSteps()
    for (let n = 0; n < 100; n += 1) {
      appended.push(add(append(`late ${n}`)))
      await clock.advanceAsync(100)
    }
    const perSecond = (countSteps() - before) / 10
    assert(perSecond >= 1 && perSecond <= 3, `${perSecond} steps a second`)
    assert(queue.isLeaseValid)
    setFull(false)
    await clock.advanceAsync(1_000)
    await Promise.all(appended)
    assert.equal((await store.readFleet()).records, 102)
  })

  it('leave only when the store has what was appended with the last one', async () => {
    const { clock, add, store, queue, setFull } = await register()
    setFull(true)
    const appended = add(append('a'))
    const left = queue.leave()
    await clock.advanceAsync(100)
    setFull(false)
    await clock.advanceAsync(5_000)
    await Promise.all([appended, left])
    assert.equal((await store.readFleet()).records, 1)
  })

  it('leave under a new name if others took over before the last one was done', async () => {
    const { clock, add, store, queue } = await register()
    const other = new StoreOwner(store, 'other', 'fleet')
    clock.advance(LEASE_MS * 2)
    await other.exchange()
    const appended = add(append('a'))
    const left = queue.leave()
    await clock.advanceAsync(5_000)
    await Promise.all([appended, left])
    assert.equal((await store.readFleet()).records, 1)
  })

  it('do at most about 1,000 records at a time', async () => {
    const { clock, add } = await register()
    const ids = Array.from({ length: 400 }, (_, n) => `r${n}`)
    const done = Array.from({ length: 5 }, () => add({ settle: ids }))
    await clock.advanceAsync(100)
    assert.deepEqual(await Promise.all(done), [1, 1, 2, 2, 3])
  })

  it('follow each other at once until everything that waits has arrived', async () => {
    const { clock, store, arrived } = await register()
    const ids = Array.from({ length: 3_500 }, (_, n) => `r${n}`)
    await new StoreOwner(store, 'other', 'fleet').exchange({ append: records(...ids) })
    await clock.advanceAsync(LEASE_MS / 4)
    assert.deepEqual(arrived, ids)
  })

  it('go on although what waits for one throws', async () => {
    const { clock, queue, add, failures } = await register()
    const onDone = () => {
      throw new RangeError('no more stack')
    }
    queue.add({ ...append('a'), onDone })
    const done = [add(append('b')), add({ claim: ['a'] })]
    await clock.advanceAsync(100)
    assert.deepEqual(await Promise.all(done), [1, 1])
    assert.match(String(failures), /no more stack/)
  })

  describe('with a pause', () => {
    /** How many of two records another process may claim: after a pause, it is one, as a probe. */
    async function countClaimable(store: MemoryStore): Promise<number> {
      const other = new StoreOwner(store, 'other', 'own')
      await other.exchange({ append: records('o', 'p') })
      return (await other.exchange({ claim: ['o', 'p'] })).claimed.length
    }

    it('tell the store at once', async () => {
      const { clock, store, queue, countSteps } = await register()
      queue.setPause(30_000)
      await clock.advanceAsync(0)
      assert.equal(countSteps(), 1)
      assert.equal(await countClaimable(store), 0)
    })

    it('tell the store right after the one that is running', async () => {
      const { clock, store, queue, countSteps } = await register()
      queue.schedule()
      clock.advance(0)
      queue.setPause(30_000)
      await clock.advanceAsync(0)
      assert.equal(countSteps(), 2)
      assert.equal(await countClaimable(store), 0)
    })

    it('tell the store that it has ended, but none is done for that alone', async () => {
      const { clock, store, queue, add, countSteps } = await register()
      queue.setPause(30_000)
      await clock.advanceAsync(0)
      queue.setPause(0)
      await clock.advanceAsync(100)
      assert.equal(countSteps(), 1)
      await Promise.all([add({ settle: ['x'] }), clock.advanceAsync(20)])
      assert.equal(await countClaimable(store), 2)
    })

    it('tell the store again under a new name, as long as it lasts', async () => {
      for (const isOver of [false, true]) {
        const { clock, store, queue } = await register()
        const other = new StoreOwner(store, 'another', 'fleet')
        clock.advance(LEASE_MS * 2)
        await other.exchange()
        queue.setPause(1_000)
        if (isOver) clock.advance(1_000)
        await clock.advanceAsync(500)
        assert.equal(await countClaimable(store), isOver ? 2 : 0)
      }
    })

    it('tell the store under a new name that it has ended', async () => {
      const { clock, store, queue, add } = await register()
      queue.setPause(60_000)
      await clock.advanceAsync(0)
      clock.advance(LEASE_MS * 2)
      await new StoreOwner(store, 'another', 'fleet').exchange()
      await clock.advanceAsync(LEASE_MS / 4)
      queue.setPause(0)
      await Promise.all([add({ settle: ['x'] }), clock.advanceAsync(20)])
      assert.equal(await countClaimable(store), 2)
    })
  })

  it('renew the lease when nothing happens', async () => {
    const { clock, queue, countSteps } = await register()
    await clock.advanceAsync(LEASE_MS * 10)
    assert.equal(countSteps(), 40)
    assert(queue.isLeaseValid)
  })

  it('say for how long they could not be done if others may have lost their leases', async () => {
    const { clock, queue, outages, setDown } = await register()
    for (const downMs of [1_500, LEASE_MS * 3]) {
      setDown(true)
      queue.schedule()
      await clock.advanceAsync(downMs)
      setDown(false)
      await clock.advanceAsync(1_000)
    }
    assert.deepEqual(outages, [0, 0, LEASE_MS * 3 + 1_000])
  })

  it('do not know for how long when the process is new', async () => {
    const { clock, outages, setDown } = await register({ isDownAtFirst: true })
    await clock.advanceAsync(LEASE_MS)
    setDown(false)
    await clock.advanceAsync(1_000)
    assert.equal(outages[0], Number.MAX_SAFE_INTEGER)
  })

  it('find the lease over after the machine was suspended and its monotonic clock stood still', async () => {
    const { clock, queue } = await register()
    clock.setWallClock(LEASE_MS)
    assert(!queue.isLeaseValid)
    await clock.advanceAsync(LEASE_MS / 4)
    assert(queue.isLeaseValid)
    clock.setWallClock(-LEASE_MS)
    assert(queue.isLeaseValid)
    clock.advance(LEASE_MS)
    assert(!queue.isLeaseValid)
  })
})
