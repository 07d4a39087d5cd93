// Tests lib/redis/redis-store.ts and lib/redis/client.ts over a failover

import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { createSentinel } from 'redis'
import { scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import type { OpenClient } from './redis-clients.js'
import { RedisSentinel } from './redis-sentinel.js'

const { group } = RedisSentinel

const CLIENTS: Readonly<Record<string, (port: number) => Promise<OpenClient>>> = {
  'ioredis 6': async (port) => {
    const client = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: group })
    client.on('error', () => {})
    return { client, close: () => client.disconnect() }
  },
  'redis 6': async (port) => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port }]
    const client = createSentinel({ name: group, sentinelRootNodes, scanInterval: 100 })
    client.on('error', () => {})
    await client.connect()
    return { client, close: () => client.destroy() }
  },
}

describe('Redis Sentinel', () => {
  for (const [library, connect] of Object.entries(CLIENTS)) {
    it(`goes on after a failover, with ${library}`, async () => {
      const sentinel = await RedisSentinel.start()
      const { client, close } = await connect(sentinel.port)
      try {
        const options = { prefix: 'p', network: 'n', waitForReplicas: 1 }
        const run = scriptRunner(client)
        const owner = new StoreOwner(new RedisStore({ run, ...options }), 'one')
        const { receipts } = await owner.exchange({ append: records('a') })
        assert.deepEqual(receipts, ['accepted'])
        await sentinel.primary.kill()
        const claim = async () => owner.exchange({ claim: [], settle: ['a'], isResync: true })
        let response = await claim().catch(() => undefined)
        while (!response) response = await claim().catch(() => undefined)
        assert.equal(response.isLost, false)
        assert.equal((await owner.store.readFleet()).records, 0)
      } finally {
        await close()
        await sentinel.stop()
      }
    })
  }
})
