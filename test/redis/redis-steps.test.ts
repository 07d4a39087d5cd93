// Tests lib/redis/redis-store.ts and lib/redis/exchange-script.ts

import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { type Clock, systemClock } from '../../lib/clock.js'
import { type RunScript, scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { LEASE_MS, listIds, records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { VirtualClock } from '../delivery/virtual-clock.js'
import { RedisServer } from './redis-server.js'
import { VirtualRedisTime } from './virtual-redis-time.js'

describe('Redis steps that arrive twice, late or never', () => {
  let server: RedisServer
  let admin: Redis
  let time: VirtualRedisTime
  let run: RunScript

  before(async () => {
    server = await RedisServer.start()
    admin = new Redis(server.port)
  })
  after(async () => {
    admin.disconnect()
    await server.stop()
  })
  beforeEach(async () => {
    await admin.flushall()
    time = new VirtualRedisTime()
    run = time.wrap(scriptRunner(admin))
  })

  const advance = (ms: number) => time.advance(admin, '{p:n}:*', ms)

  function createOwner(name: string, box: 'own' | 'fleet' = 'own', runStep = run): StoreOwner {
    const options = { prefix: 'p', network: 'n', waitForReplicas: 0, clock: new VirtualClock() }
    return new StoreOwner(new RedisStore({ run: runStep, ...options }), name, box)
  }

  /** As a client does that loses the connection before the answer, and sends the command again. */
  const runTwice: RunScript = async (...command) => {
    await run(...command)
    return run(...command)
  }

  /** The answer is lost after the step was done. */
  const runInVain: RunScript = async (...command) => {
    await run(...command)
    throw new Error('connection lost')
  }

  const runNever: RunScript = async () => {
    throw new Error('connection refused')
  }

  it('repeats the response of a step that the client sends twice', async () => {
    const dead = createOwner('dead', 'fleet')
    await dead.exchange({ append: records('a', 'b'), calls: 2, callsTtlMs: 60_000 })
    await dead.exchange({ claim: ['a'], callsTtlMs: 60_000 })
    await advance(LEASE_MS + 1)
    const next = createOwner('next', 'fleet', runTwice)
    const response = await next.exchange({
      append: records('c'),
      claim: ['b'],
      calls: 3,
      callsTtlMs: 60_000,
    })
    assert.deepEqual(response.receipts, ['accepted'])
    assert.deepEqual(response.claimed, ['b'])
    assert.deepEqual(listIds(response.arrivals), ['c'])
    assert.deepEqual(listIds(response.orphans), ['a', 'b'])
    assert.equal(response.callAgesMs?.length, 5)
    assert.equal(response.isFailover, true)
    assert.equal((await next.store.readFleet()).records, 3)
  })

  it('counts the calls of a repeated step once', async () => {
    let runStep = runInVain
    const owner = createOwner('one', 'fleet', (...command) => runStep(...command))
    const step = { calls: 2, callsTtlMs: 60_000 }
    await assert.rejects(owner.exchange(step), /connection lost/)
    await assert.rejects(owner.exchange({ ...step, isResync: true }), /connection lost/)
    runStep = run
    const again = await owner.exchange({ ...step, isResync: true })
    assert.equal(again.callAgesMs?.length, 2)
    await owner.exchange(step)
    const after = await owner.exchange({ ...step, calls: 0, isResync: true })
    assert.equal(after.callAgesMs?.length, 4)
  })

  it('counts the calls of a step that is repeated because it was not done', async () => {
    let runStep = runNever
    const owner = createOwner('one', 'fleet', (...command) => runStep(...command))
    const step = { calls: 2, callsTtlMs: 60_000 }
    await assert.rejects(owner.exchange(step), /connection refused/)
    runStep = run
    assert.equal((await owner.exchange({ ...step, isResync: true })).callAgesMs?.length, 2)
  })

  it('counts the calls of a step that was given up before its turn', async () => {
    const clock = new VirtualClock()
    let unblock = () => {}
    let runStep: RunScript = run
    const options = { prefix: 'p', network: 'n', waitForReplicas: 0, clock }
    const store = new RedisStore({ run: (...command) => runStep(...command), ...options })
    const owner = new StoreOwner(store, 'one', 'fleet')
    await owner.exchange()
    runStep = async () => {
      await new Promise<void>((resolve) => {
        unblock = resolve
      })
      throw new Error('connection lost')
    }
    const blocking = assert.rejects(store.readFleet(), /no answer/)
    const step = { calls: 2, callsTtlMs: 60_000 }
    const givenUp = assert.rejects(owner.exchange(step), /no answer/)
    await clock.advanceAsync(5_000)
    await Promise.all([blocking, givenUp])
    unblock()
    runStep = run
    assert.equal((await owner.exchange({ ...step, isResync: true })).callAgesMs?.length, 2)
  })

  it('refuses a step that arrives after a later one', async () => {
    const sent: Parameters<RunScript>[] = []
    const owner = createOwner('one', 'own', (...command) => {
      sent.push(command)
      return run(...command)
    })
    await owner.exchange({ append: records('a') })
    await owner.exchange({ claim: ['a'] })
    await owner.exchange({ release: records('a') })
    await owner.exchange({ claim: ['a'] })
    const [, , release] = sent
    assert(release)
    await assert.rejects(run(...release), /STALE/)
    assert.deepEqual((await owner.exchange({ release: records('a') })).claimed, [])
  })

  it('brings no owner back with a step that arrives after its death', async () => {
    const sent: Parameters<RunScript>[] = []
    const owner = createOwner('one', 'own', (...command) => {
      sent.push(command)
      return run(...command)
    })
    await owner.exchange({ append: records('a') })
    await advance(LEASE_MS + 1)
    const finder = createOwner('finder')
    assert.deepEqual(listIds((await finder.exchange()).arrivals), ['a'])
    await finder.exchange({ settle: ['a'] })
    const [registration] = sent
    assert(registration)
    await run(...registration)
    assert.equal((await finder.store.readFleet()).records, 0)
    assert.equal((await finder.exchange()).others, 0)
  })

  describe('after a failover that undid the last steps', () => {
    /** What a replica has that lags behind. */
    async function copyAll(): Promise<() => Promise<void>> {
      const keys = await admin.keys('{p:n}:*')
      for (const key of keys) await admin.copy(key, `copy of ${key}`)
      return async () => {
        await admin.del(await admin.keys('{p:n}:*'))
        for (const key of keys) await admin.rename(`copy of ${key}`, key)
      }
    }

    it('goes on with an owner, and tells it all that waits', async () => {
      const owner = createOwner('one')
      await owner.exchange({ append: records('a', 'b') })
      const failOver = await copyAll()
      await owner.exchange({ append: records('c'), claim: ['a'] })
      await failOver()
      const { isLost, arrivals } = await owner.exchange()
      assert.equal(isLost, false)
      assert.deepEqual(listIds(arrivals), ['a', 'b'])
      assert.deepEqual((await owner.exchange()).arrivals, [])
    })

    it('lets the owner settle what it has sent, although the claim is undone', async () => {
      const owner = createOwner('one')
      await owner.exchange({ append: records('a') })
      const failOver = await copyAll()
      await owner.exchange({ claim: ['a'] })
      await failOver()
      await owner.exchange({ settle: ['a'] })
      assert.equal((await owner.store.readFleet()).records, 0)
    })

    it('names the claims of the owner, whose settlement may be undone', async () => {
      const owner = createOwner('one')
      await owner.exchange({ append: records('a') })
      await owner.exchange({ claim: ['a'] })
      const failOver = await copyAll()
      await owner.exchange({ settle: ['a'] })
      await failOver()
      assert.deepEqual(listIds((await owner.exchange()).orphans), ['a'])
    })

    it('tells the sender what others append, below the numbers that it has seen', async () => {
      const [sender, other] = [createOwner('one', 'fleet'), createOwner('two', 'fleet')]
      await sender.exchange()
      await other.exchange()
      const failOver = await copyAll()
      await other.exchange({ append: records('a', 'b', 'c') })
      await sender.exchange()
      await failOver()
      await other.exchange({ append: records('d') })
      assert.equal(await sender.store.hasArrivals(sender.seenUpTo), true)
      assert.deepEqual(listIds((await sender.exchange()).arrivals), ['d'])
    })

    it('finds an owner lost that it does not know', async () => {
      await createOwner('other').exchange()
      const failOver = await copyAll()
      const owner = createOwner('one')
      await owner.exchange({ append: records('a') })
      await failOver()
      assert.equal((await owner.exchange()).isLost, true)
    })
  })

  it('sends one command at a time, and none that was given up before its turn', async () => {
    const clock = new VirtualClock()
    const answers: (() => void)[] = []
    let commands = 0
    const hung: RunScript = async (...command) => {
      commands += 1
      await new Promise<void>((resolve) => answers.push(resolve))
      return run(...command)
    }
    const options = { prefix: 'p', network: 'n', waitForReplicas: 0, clock }
    const owner = new StoreOwner(new RedisStore({ run: hung, ...options }), 'one')
    for (let n = 0; n < 10; n += 1) {
      const failed = assert.rejects(owner.exchange({ isResync: n > 0 }), /no answer within 5 s/)
      await clock.advanceAsync(5_000)
      await failed
    }
    assert.equal(commands, 1)
    const next = owner.exchange({ isResync: true })
    answers[0]?.()
    while (commands < 2) await new Promise(setImmediate)
    answers[1]?.()
    assert.equal((await next).isLost, false)
    assert.equal(commands, 2)
    assert.equal(clock.pendingTimers, 0)
  })

  it('reads an answer that arrived while the process stood still', async () => {
    const after: Clock['after'] = (delayMs, task) => systemClock.after(delayMs / 20, task)
    const clock = { ...systemClock, after }
    const options = { prefix: 'p', network: 'n', waitForReplicas: 0, clock }
    const owner = new StoreOwner(new RedisStore({ run, ...options }), 'one')
    await owner.exchange()
    const answer = owner.exchange({ append: records('a') })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    assert.deepEqual((await answer).receipts, ['accepted'])
  })

  it('leaves no key without an expiry', async () => {
    const [one, two] = [createOwner('one'), createOwner('two', 'fleet')]
    const append = [{ id: 'k', payload: 'k', dedupeKey: 'key' }, ...records('a', 'b')]
    await one.exchange({ append, figures: { tracked: 1 } })
    await one.exchange({ claim: ['a'], pauseMs: 1_000 })
    await two.exchange({ append: records('c'), calls: 1, callsTtlMs: 60_000 })
    await two.exchange({ claim: ['c'], callsTtlMs: 60_000 })
    await createOwner('three').exchange({ isLeaving: true, figures: { tracked: 1 } })
    const keys = await admin.keys('*')
    assert(keys.length > 10, `${keys}`)
    for (const key of keys) assert((await admin.pttl(key)) > 0, key)
  })

  it('goes on although figures of an owner cannot be read', async () => {
    for (const [n, figures] of ['not JSON', 'null', '"text"', '{"tracked":"many"}'].entries()) {
      await createOwner(`bad ${n}`).exchange({ append: records(`a${n}`) })
      await admin.hset(`{p:n}:owner:bad ${n}`, 'figures', figures)
    }
    const finder = createOwner('finder')
    await finder.exchange({ figures: { tracked: 1 } })
    const expected = { figures: { tracked: 1 }, records: 4 }
    assert.deepEqual(await finder.store.readFleet(), expected)
    await advance(LEASE_MS + 1)
    const next = createOwner('next')
    assert.equal((await next.exchange()).arrivals.length, 4)
    assert.deepEqual(await next.store.readFleet(), expected)
  })

  it('tells an owner that is lost that its last step appended nothing, as memory was full', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a') })
    await admin.config('SET', 'maxmemory', '1')
    const append = { number: 2, records: records('b') }
    await owner.exchangeInVain({ append })
    await admin.config('SET', 'maxmemory', '0')
    await advance(LEASE_MS + 1)
    await createOwner('finder').exchange()
    const { isLost, wasDone, isFull, receipts } = await owner.exchange({ append, isResync: true })
    assert.deepEqual([isLost, wasDone, isFull, receipts], [true, true, true, []])
  })

  it('forgets records that have lost their payloads', async () => {
    const dead = createOwner('dead')
    await dead.exchange({ append: records('a', 'b', 'c', 'd') })
    await dead.exchange({ claim: ['a', 'b'] })
    await admin.hdel('{p:n}:records', 'a', 'c')
    await advance(LEASE_MS + 1)
    const { arrivals, orphans } = await createOwner('finder').exchange()
    assert.deepEqual([listIds(arrivals), listIds(orphans)], [['d'], ['b']])
    assert.deepEqual(await admin.zrange('{p:n}:box:finder', 0, '-1'), ['d'])
    assert.deepEqual(await admin.zrange('{p:n}:claimed:finder', 0, '-1'), ['b'])
  })

  it('keeps the keys of a network that is in use', async () => {
    const owner = createOwner('one')
    const days = (count: number) => count * 86_400_000
    await owner.exchange({ append: records('a', 'b'), leaseMs: days(60) })
    await owner.exchange({ claim: ['a'], leaseMs: days(60) })
    for (let n = 0; n < 3; n += 1) {
      await advance(days(20))
      assert.equal((await owner.exchange({ leaseMs: days(60) })).isLost, false)
    }
    assert.deepEqual(listIds((await owner.exchange({ isResync: true })).orphans), ['a'])
    assert.deepEqual((await owner.exchange({ claim: ['b'] })).claimed, ['b'])
  })

  it('keeps one key per dead owner, for a day', async () => {
    for (let n = 0; n < 5; n += 1) await createOwner(`o${n}`).exchange({ isLeaving: true })
    const last = createOwner('last')
    await last.exchange({ leaseMs: 2 * 86_400_000 })
    assert.equal((await admin.keys('{p:n}:owner:*')).length, 6)
    await advance(86_400_001)
    assert.deepEqual(await admin.keys('{p:n}:owner:*'), ['{p:n}:owner:last'])
  })
})
