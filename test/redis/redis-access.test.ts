// Tests lib/redis/redis-store.ts and lib/redis/exchange-script.ts

import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { type RedisClient, scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { listIds, records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { RedisServer } from './redis-server.js'

/** The rights that docs/redis.md lists. */
const RULES = [
  '~{ad-impressions:*',
  '+eval +evalsha +wait +time',
  '+hget +hmget +hset +hdel +hlen +hexists +hkeys +hgetall +hincrby',
  '+zadd +zrem +zscore +zcard +zcount +zrange +zrangebyscore +zremrangebyrank',
  '+lindex +lpop +rpush +lrange +set +exists +del +pexpire',
]

describe('Redis access', () => {
  let server: RedisServer
  let clients: { disconnect(): void }[]
  before(async () => {
    server = await RedisServer.start()
    const rules = RULES.join(' ').split(' ')
    await server.run('ACL', 'SETUSER', 'ads', 'on', '>a secret', 'resetkeys', '-@all', ...rules)
  })
  after(() => server.stop())
  beforeEach(async () => {
    await server.run('FLUSHALL')
    clients = []
  })
  afterEach(() => {
    for (const client of clients) client.disconnect()
  })

  function connect(options: object): Redis {
    const client = new Redis(server.port, '127.0.0.1', options).on('error', () => {})
    clients.push(client)
    return client
  }

  function createStore(client: RedisClient): RedisStore {
    const run = scriptRunner(client)
    return new RedisStore({ run, prefix: 'ad-impressions', network: 'n', waitForReplicas: 0 })
  }

  /** Uses every part of the scripts. */
  async function useAll(store: RedisStore): Promise<void> {
    const one = new StoreOwner(store, 'one', 'fleet')
    const append = [...records('a', 'b'), { id: 'c', payload: 'c', dedupeKey: 'key' }]
    const options = { callsTtlMs: 60_000, figures: { tracked: 3 } }
    await one.exchange({ append, calls: 1, pauseMs: 60_000, ...options })
    await one.exchange({ claim: ['a', 'b'], pauseMs: 0, ...options })
    await one.exchange({ settle: ['a'], isLeaving: true, ...options })
    const two = new StoreOwner(store, 'two', 'fleet')
    const adopted = await two.exchange({ outageMs: 1_000, ...options })
    assert.deepEqual(listIds(adopted.orphans), ['b'])
    assert.deepEqual(adopted.callAgesMs?.length, 1)
    await two.exchange({ release: records('b'), ...options })
    assert.deepEqual(await store.readFleet(), { figures: { tracked: 6 }, records: 2 })
    assert.equal(await store.hasArrivals(0), true)
  }

  it('needs few commands, and only the keys of its prefix', async () => {
    const client = connect({ username: 'ads', password: 'a secret', enableReadyCheck: false })
    await useAll(createStore(client))
  })

  it('works with a key prefix of the client', async () => {
    await useAll(createStore(connect({ keyPrefix: 'app:' })))
    const keys = await server.run('KEYS', '*')
    assert(Array.isArray(keys))
    for (const key of keys) assert.match(key, /^app:\{ad-impressions:n\}:/)
  })

  it('shows no password when it is wrong', async () => {
    const store = createStore(connect({ username: 'ads', password: 'wr0ng', lazyConnect: true }))
    await assert.rejects(new StoreOwner(store, 'one').exchange(), (error: Error) => {
      assert.match(error.message, /^Redis: .*(WRONGPASS|NOAUTH|NOPERM)/)
      assert.equal(error.message.includes('wr0ng'), false)
      return true
    })
  })

  it('says so when a client of node-redis is not connected', async () => {
    const url = `redis://ads:secret@127.0.0.1:${server.port}`
    const store = createStore(createClient({ url }))
    await assert.rejects(new StoreOwner(store, 'one').exchange(), {
      message: 'Redis: The client is closed',
    })
  })

  it('leaves the client open', async () => {
    const client = connect({})
    const store = createStore(client)
    await store.close()
    assert.equal(await client.ping(), 'PONG')
  })
})
