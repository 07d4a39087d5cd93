// Tests lib/redis/keys.ts and lib/redis/client.ts over a cluster

import assert from 'node:assert/strict'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { createCluster } from 'redis'
import { createCluster as createCluster5 } from 'redis5'
import { scriptRunner, toScript } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import type { OpenClient } from './redis-clients.js'
import { RedisCluster } from './redis-cluster.js'

const CLIENTS: Readonly<Record<string, (ports: number[]) => Promise<OpenClient>>> = {
  'ioredis 6': async (ports) => {
    const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })))
    return { client, close: () => client.disconnect() }
  },
  'redis 6': async (ports) => {
    const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }))
    const client = createCluster({ rootNodes })
    client.on('error', () => {})
    await client.connect()
    return { client, close: () => client.destroy() }
  },
  'ioredis 5': async (ports) => {
    const client = new Cluster5(ports.map((port) => ({ host: '127.0.0.1', port })))
    return { client, close: () => client.disconnect() }
  },
  'redis 5': async (ports) => {
    const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }))
    const client = createCluster5({ rootNodes })
    client.on('error', () => {})
    await client.connect()
    return { client, close: () => client.destroy() }
  },
}

describe('Redis Cluster', () => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await RedisCluster.start()
  })
  after(() => cluster.stop())

  for (const [library, connect] of Object.entries(CLIENTS)) {
    it(`keeps each network on one node, with ${library}`, async () => {
      const { client, close } = await connect(cluster.ports)
      try {
        const run = scriptRunner(client)
        // Enough networks for several nodes. The braces in names would break a hash tag.
        for (let n = 0; n < 12; n += 1) {
          const options = { run, prefix: `a{}${library}`, network: `n}${n}{x}` }
          const owner = new StoreOwner(new RedisStore({ ...options, waitForReplicas: 0 }), 'one')
          const append = [...records('a'), { id: 'b', payload: 'b', dedupeKey: 'k' }]
          assert.deepEqual((await owner.exchange({ append })).receipts, ['accepted', 'accepted'])
          const other = new StoreOwner(owner.store, 'two')
          await other.exchange({ append: records('c'), isLeaving: true })
          assert.equal((await owner.exchange({ claim: ['a', 'b'] })).claimed.length, 2)
          await owner.exchange({ settle: ['a', 'b'] })
          assert.equal((await owner.store.readFleet()).records, 1)
          assert.equal(await owner.store.hasArrivals(0), true)
        }
        const sizes = await Promise.all(cluster.servers.map((server) => server.run('DBSIZE')))
        assert(sizes.filter((size) => size !== 0).length > 1)
      } finally {
        close()
      }
    })

    it(`waits for replicas over the connection of the change, with ${library}`, async () => {
      const { client, close } = await connect(cluster.ports)
      try {
        const run = scriptRunner(client)
        const script = toScript("return redis.call('SET', KEYS[1], '')")
        const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
        // Afterwards, every node knows the script.
        for (const key of keys) await run(script, [key], '', undefined)
        for (const server of cluster.servers) await server.run('CONFIG', 'RESETSTAT')
        for (const key of keys) {
          const { replicas } = await run(script, [key], '', { replicas: 1, timeoutMs: 1 })
          assert.equal(replicas, 0)
        }
        for (const server of cluster.servers) {
          const stats = String(await server.run('INFO', 'commandstats'))
          assert.equal(countCalls(stats, 'wait'), countCalls(stats, 'set'))
        }
      } finally {
        close()
      }
    })
  }
})

function countCalls(stats: string, command: string): number {
  return Number(stats.match(new RegExp(`cmdstat_${command}:calls=(\\d+)`))?.[1] ?? 0)
}
