// Tests the option `waitForReplicas`: lib/redis/redis-store.ts and lib/redis/client.ts

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisClient, scriptRunner } from '../../lib/redis/client.js'
import { redisOutbox } from '../../lib/redis/index.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { Publisher } from '../page-load/publisher.js'
import { CLIENTS, type OpenClient } from './redis-clients.js'
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

  async function connectTo(library: string): Promise<OpenClient> {
    const connect = CLIENTS[library]
    assert.ok(connect, library)
    return connect(primary.port)
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

  it('that are frozen let nothing be accepted or claimed until they go on', async () => {
    const opened = [await connectTo('ioredis 6'), await connectTo('a pool of redis 6')]
    try {
      const owners = opened.map(({ client }, n) => createOwner(client, `frozen ${n}`, 1))
      for (const owner of owners) await owner.exchange({ append: records('a') })
      replica.freeze()
      const step = { append: { number: 2, records: records('b') }, claim: ['a'] }
      const message = 'Redis: 0 of 1 replicas confirmed'
      await Promise.all(owners.map((owner) => assert.rejects(owner.exchange(step), { message })))
      replica.resume()
      for (const [n, owner] of owners.entries()) {
        const { receipts, claimed } = await owner.exchange({ ...step, isResync: true })
        assert.deepEqual({ receipts, claimed }, { receipts: ['accepted'], claimed: ['a'] })
        assert.equal(await replica.run('HGET', `{p:frozen ${n}}:records`, 'b'), 'payload of b')
      }
    } finally {
      replica.resume()
      for (const { close } of opened) close()
    }
  })

  it('that are frozen let impressions wait in memory, and each is then sent once', async () => {
    const { client, close } = await connectTo('redis 6')
    await using publisher = await Publisher.start(
      ({ res, trackImpression }) => {
        res.end(trackImpression({ campaignId: 42, placement: 'header' }))
      },
      { outbox: redisOutbox({ client, waitForReplicas: 1 }) },
    )
    try {
      replica.freeze()
      await fetchPage(publisher.url)
      while (!publisher.lines.join().includes('0 of 1 replicas confirmed')) await delay(10)
      assert.equal(publisher.sandbox.ens.impressions.length, 0)
      assert.equal(publisher.tracker.stats().ens?.pending, 1)
      replica.resume()
      assert.equal(await publisher.tracker.flush(), true)
      assert.equal(publisher.sandbox.ens.impressions.length, 1)
      assert.equal(publisher.tracker.stats().ens?.delivered, 1)
      await publisher.tracker.close()
    } finally {
      replica.resume()
      close()
    }
  })
})
