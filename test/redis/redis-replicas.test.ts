// Tests the option `waitForReplicas`: lib/redis/redis-store.ts and lib/redis/client.ts

import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { type RedisClient, scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { CLIENTS } from './redis-clients.js'
import { RedisServer } from './redis-server.js'

describe('Redis replicas', () => {
  let primary: RedisServer
  let replica: RedisServer
  before(async () => {
    primary = await RedisServer.start(['--repl-diskless-sync-delay', '0'])
    replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(primary.port)])
    await waitForOnline(1)
  })
  after(async () => {
    await replica.stop()
    await primary.stop()
  })

  async function waitForOnline(replicas: number): Promise<void> {
    let online = 0
    while (online < replicas) {
      const info = String(await primary.run('INFO', 'replication'))
      online = info.split('state=online').length - 1
    }
  }

  function createOwner(client: RedisClient, network: string, waitForReplicas: number): StoreOwner {
    const run = scriptRunner(client)
    return new StoreOwner(new RedisStore({ run, prefix: 'p', network, waitForReplicas }), 'one')
  }

  for (const [library, connect] of Object.entries(CLIENTS)) {
    it(`have what was accepted, with ${library}`, async () => {
      const { client, close } = await connect(primary.port)
      try {
        const owner = createOwner(client, library, 1)
        const { receipts } = await owner.exchange({ append: records('a') })
        assert.deepEqual(receipts, ['accepted'])
        const copy = await replica.run('HGET', `{p:${library}}:records`, 'a')
        assert.equal(copy, 'payload of a')
      } finally {
        close()
      }
    })
  }

  it('that are too few let nothing be accepted, and the step is repeated', async () => {
    const client = new Redis(primary.port)
    try {
      const owner = createOwner(client, 'few', 2)
      assert.equal((await owner.exchange()).isLost, false)
      const append = { number: 1, records: records('a') }
      const message = 'Redis: 1 of 2 replicas confirmed'
      await assert.rejects(owner.exchange({ append }), { message })
      const second = await RedisServer.start(['--replicaof', '127.0.0.1', String(primary.port)])
      await waitForOnline(2)
      const { receipts } = await owner.exchange({ append, isResync: true })
      assert.deepEqual(receipts, ['accepted'])
      assert.equal((await owner.store.readFleet()).records, 1)
      await second.stop()
    } finally {
      client.disconnect()
    }
  })
})
