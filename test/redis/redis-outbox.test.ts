// Tests lib/redis/index.ts

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { redisOutbox } from '../../lib/redis/index.js'
import { outboxContract } from '../delivery/outbox/outbox-contract.js'
import { RedisServer } from './redis-server.js'

describe('redisOutbox()', () => {
  const client = {
    evalsha: async () => '',
    eval: async () => '',
    pipeline: () => ({ exec: async () => [] }),
  }

  it('takes a client and nothing else', () => {
    assert.equal(typeof redisOutbox({ client }), 'function')
  })

  const wrong: [string, object, RegExp][] = [
    [
      'an unknown option',
      { client, url: 'redis://:secret@host' },
      /redisOutbox\(\): url: there is no such option/,
    ],
    ['an empty prefix', { client, prefix: '' }, /prefix: expected a string that is not empty/],
    [
      'a lease that is too short',
      { client, leaseMs: 10 },
      /leaseMs: expected a whole number of at least 1000/,
    ],
    [
      'a wrong number of replicas',
      { client, waitForReplicas: -1 },
      /waitForReplicas: expected a whole number/,
    ],
    ['no client', {}, /client: expected a client of ioredis 5 or 6/],
  ]
  for (const [name, options, message] of wrong) {
    it(`refuses ${name} at start-up`, () => {
      assert.throws(() => redisOutbox(Object.assign({ client: {} }, options) as never), {
        name: 'ConfigurationError',
        message,
      })
    })
  }
})

describe('redisOutbox() over a server', () => {
  let server: RedisServer
  let client: Redis
  before(async () => {
    server = await RedisServer.start()
    client = new Redis(server.port)
  })
  after(async () => {
    client.disconnect()
    await server.stop()
  })

  outboxContract('redisOutbox(), without windows', (options) =>
    redisOutbox({ client, prefix: randomUUID() })(options),
  )
  outboxContract('redisOutbox(), with windows', (options) =>
    redisOutbox({ client, prefix: randomUUID() })({ ...options, longestWindowMs: 60_000 }),
  )
})
