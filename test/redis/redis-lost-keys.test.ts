// Tests lib/redis/exchange-script.ts

import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { type RunScript, scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { LEASE_MS, listIds, records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { VirtualClock } from '../delivery/virtual-clock.js'
import { RedisServer } from './redis-server.js'
import { VirtualRedisTime } from './virtual-redis-time.js'

const DAY_MS = 86_400_000

describe('Redis keys that were evicted or deleted one by one', () => {
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
  const lose = (name: string) => admin.del(`{p:n}:${name}`)

  function createOwner(name: string, box: 'own' | 'fleet' = 'fleet'): StoreOwner {
    const options = { prefix: 'p', network: 'n', waitForReplicas: 0, clock: new VirtualClock() }
    return new StoreOwner(new RedisStore({ run, ...options }), name, box)
  }

  const countRecords = async ({ store }: StoreOwner) => (await store.readFleet()).records

  it('forgets more than 1,000 waiting records that have lost their payloads', async () => {
    const ids = Array.from({ length: 1_500 }, (_, n) => `r${n}`)
    const first = createOwner('first')
    await first.exchange({ append: records(...ids) })
    await lose('records')
    await first.exchange({ isLeaving: true })
    const next = createOwner('next')
    for (let n = 0; n < 3; n += 1) assert.deepEqual((await next.exchange()).arrivals, [])
    assert.equal(await admin.zcard('{p:n}:box'), 0)
    const other = createOwner('other')
    await other.exchange({ append: records('late') })
    assert.deepEqual(listIds((await next.exchange()).arrivals), ['late'])
  })

  it('lets its process send a record that has lost its payload, once', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a') })
    await lose('records')
    assert.deepEqual((await owner.exchange({ claim: ['a'] })).claimed, ['a'])
    await advance(LEASE_MS + 1)
    const { arrivals, orphans } = await createOwner('finder').exchange()
    assert.deepEqual([arrivals, orphans], [[], []])
  })

  it('waits for the end of a pause also with a record that has lost its payload', async () => {
    const [owner, other] = [createOwner('one', 'own'), createOwner('other', 'own')]
    await other.exchange({ pauseMs: 60_000 })
    await owner.exchange({ append: records('a') })
    await lose('records')
    const { claimed, missing } = await owner.exchange({ claim: ['a'] })
    assert.deepEqual([claimed, missing], [[], []])
  })

  it('names records as missing that no longer wait anywhere', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a', 'b', 'c') })
    await owner.exchange({ claim: ['a'] })
    await lose('box')
    const { claimed, missing } = await owner.exchange({ claim: ['b', 'c'] })
    assert.deepEqual([claimed, missing], [[], ['b', 'c']])
    assert.equal(await countRecords(owner), 1)
  })

  it('does not take a record for missing that another process has claimed', async () => {
    const dead = createOwner('dead', 'own')
    await dead.exchange({ append: records('a') })
    await dead.exchange({ claim: ['a'] })
    const { claimed, missing } = await createOwner('one').exchange({ claim: ['a'] })
    assert.deepEqual([claimed, missing], [[], []])
    await advance(LEASE_MS + 1)
    const finder = createOwner('finder')
    assert.deepEqual(listIds((await finder.exchange()).orphans), ['a'])
  })

  it('has room again for what it has lost', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a', 'b', 'c'), maxPending: 3 })
    await lose('box')
    const { receipts } = await owner.exchange({ append: records('d', 'e'), maxPending: 2 })
    assert.deepEqual(receipts, ['accepted', 'accepted'])
    const full = await owner.exchange({ append: records('f'), maxPending: 2 })
    assert.deepEqual(full.receipts, ['overflow'])
  })

  it('has no record any more that its process has settled without its claim', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a', 'b') })
    await owner.exchange({ claim: ['a'] })
    await lose('claimed:one')
    await owner.exchange({ settle: ['a'] })
    assert.equal(await countRecords(owner), 1)
  })

  it('has forgotten after a day what nobody knows any more', async () => {
    const owner = createOwner('one')
    await owner.exchange({ append: records('a', 'b') })
    await owner.exchange({ claim: ['a'] })
    await lose('claimed:one')
    await advance(DAY_MS)
    await owner.exchange()
    assert.equal(await countRecords(owner), 1)
  })

  it('goes on with every process when it has lost their leases', async () => {
    const [sender, other] = [createOwner('one'), createOwner('other', 'own')]
    await sender.exchange({ append: records('a') })
    await other.exchange({ append: records('b') })
    await lose('owners')
    assert.deepEqual((await other.exchange({ claim: ['b'] })).claimed, ['b'])
    assert.deepEqual((await sender.exchange({ claim: ['a'] })).claimed, ['a'])
    assert.equal((await sender.exchange()).others, 1)
  })

  it('tells the sender what others append after it has lost its numbers', async () => {
    const [sender, other] = [createOwner('one'), createOwner('two')]
    await sender.exchange({ append: records('a', 'b') })
    await other.exchange()
    await advance(1_000)
    await lose('state')
    await other.exchange({ append: records('c', 'd', 'e') })
    await advance(LEASE_MS + 1)
    assert.deepEqual(listIds((await sender.exchange()).arrivals), ['c', 'd', 'e'])
    assert.deepEqual((await sender.exchange({ claim: ['a', 'c'] })).claimed, ['a', 'c'])
  })

  it('tells a new sender all that waits after it has lost its numbers', async () => {
    const first = createOwner('first')
    await first.exchange({ append: records('a', 'b') })
    await first.exchange({ isLeaving: true })
    await advance(1_000)
    await lose('state')
    const next = createOwner('next')
    const { arrivals } = await next.exchange()
    assert.deepEqual(listIds(arrivals), ['a', 'b'])
  })

  const names = [
    ...['state', 'owners', 'dead', 'records', 'calls', 'figures', 'box', 'box:own', 'box:dead'],
    ...['owner:one', 'owner:own', 'owner:dead', 'claimed:one', 'claimed:own', 'claimed:dead'],
  ]
  for (const name of names) {
    it(`goes on, and keeps no record for ever, after it has lost \`${name}\``, async () => {
      const common = { callsTtlMs: 3 * DAY_MS, calls: 1, figures: { tracked: 2 } }
      const dead = createOwner('dead', 'own')
      const many = Array.from({ length: 5_500 }, (_, n) => `dead ${n}`)
      await dead.exchange({ append: records(...many), ...common })
      await dead.exchange({ claim: many.slice(0, 5_200), ...common })
      await dead.exchange({ isLeaving: true, ...common })
      const owners = [createOwner('one'), createOwner('own', 'own')]
      for (const owner of owners) {
        await owner.exchange({ append: records(`${owner.name} a`, `${owner.name} b`), ...common })
        await owner.exchange({ claim: [`${owner.name} a`], ...common })
      }
      await advance(LEASE_MS - 1)
      assert.equal(await lose(name), 1)

      const waiting = owners.map((owner) => ['a', 'b'].map((letter) => `${owner.name} ${letter}`))
      for (let n = 0; n < 8; n += 1) {
        for (const [index, owner] of owners.entries()) {
          const step = { ...common, settle: waiting[index] ?? [], isResync: n % 2 === 1 }
          const { isLost, arrivals, orphans } = await owner.exchange(step)
          assert.equal(isLost, false)
          waiting[index] = [...listIds(arrivals), ...listIds(orphans)]
        }
      }
      const last = createOwner('last')
      const { arrivals, orphans } = await last.exchange(common)
      assert.deepEqual([arrivals, orphans], [[], []])
      assert.equal(await countRecords(last), 0)
    })
  }
})
