import assert from 'node:assert/strict'
import { ExchangeQueue, type Operation } from '../../../lib/delivery/outbox/exchange-queue.js'
import { VirtualClock } from '../virtual-clock.js'
import { MemoryStore } from './memory-store.js'

const LEASE_MS = 10_000

describe('steps of a store', () => {
  /** A process that is known to the store, and the number of its steps from now on. */
  async function register() {
    const clock = new VirtualClock()
    const store = new MemoryStore(clock.now)
    let steps = 0
    const queue = new ExchangeQueue({
      store: {
        exchange: (request) => {
          steps += 1
          return store.exchange(request)
        },
        hasArrivals: (seenUpTo) => store.hasArrivals(seenUpTo),
        readFleet: () => store.readFleet(),
        close: () => store.close(),
      },
      clock,
      constants: {
        leaseMs: LEASE_MS,
        maxPending: 100,
        dedupeTtlMs: 60_000,
        callsTtlMs: 60_000,
        probeMs: 1_000,
      },
      countFigures: () => ({}),
      onResponse: () => {},
      onFailure: assert.ifError,
    })
    queue.schedule()
    await clock.advanceAsync(1_000)
    steps = 0
    return {
      queue,
      clock,
      /** Adds an operation, and resolves to the number of steps by then when it is done. */
      add: (operation: Omit<Operation, 'onDone'>): Promise<number> =>
        new Promise((resolve) => queue.add({ ...operation, onDone: () => resolve(steps) })),
      countSteps: () => steps,
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
    await clock.advanceAsync(10)
    assert.deepEqual(await Promise.all(done), [1, 2, 2, 2])
  })

  it('do not let a claim wait, since a call depends on it, and do the rest with it', async () => {
    const { clock, add } = await register()
    const first = add(append('a'))
    await clock.advanceAsync(1)
    const others = [add({ settle: ['x'] }), add({ claim: ['a'] })]
    await clock.advanceAsync(0)
    assert.deepEqual(await Promise.all([first, ...others]), [1, 2, 2])
  })

  it('store soon which calls have been begun', async () => {
    const { clock, queue, countSteps } = await register()
    queue.countCall()
    await clock.advanceAsync(0)
    queue.countCall()
    queue.countCall()
    await clock.advanceAsync(10)
    assert.equal(countSteps(), 2)
  })

  it('renew the lease when nothing happens', async () => {
    const { clock, queue, countSteps } = await register()
    await clock.advanceAsync(LEASE_MS * 10)
    assert.equal(countSteps(), 40)
    assert(queue.isLeaseValid)
  })
})
