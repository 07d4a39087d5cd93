// Tests lib/redis/client.ts

import assert from 'node:assert/strict'
import { type RunScript, scriptRunner, toScript } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { CLIENTS, type OpenClient } from './redis-clients.js'
import { RedisServer } from './redis-server.js'

const WAITS = [undefined, { replicas: 0, timeoutMs: 1_000 }]

describe('Redis clients', () => {
  let server: RedisServer
  before(async () => {
    server = await RedisServer.start()
  })
  after(() => server.stop())

  for (const [library, connect] of Object.entries(CLIENTS)) {
    describe(library, () => {
      let opened: OpenClient
      let run: RunScript
      beforeEach(async () => {
        opened = await connect(server.port)
        run = scriptRunner(opened.client)
      })
      afterEach(() => opened.close())

      it('runs scripts, also after the server forgot them', async () => {
        const script = toScript("return KEYS[1] .. ' ' .. ARGV[1]")
        for (const wait of WAITS) {
          await server.run('SCRIPT', 'FLUSH')
          assert.equal((await run(script, ['key'], 'é', wait)).reply, 'key é')
          assert.equal((await run(script, ['key'], 'b', wait)).reply, 'key b')
          await server.run('SCRIPT', 'FLUSH')
          assert.equal((await run(script, ['key'], 'c', wait)).reply, 'key c')
        }
      })

      it('rejects with the error of a script', async () => {
        const script = toScript("return redis.error_reply('BAD thing')")
        for (const wait of WAITS) await assert.rejects(run(script, [], '', wait), /BAD thing/)
      })

      it('appends, claims and settles', async () => {
        const store = new RedisStore({ run, prefix: 'p', network: library, waitForReplicas: 0 })
        const owner = new StoreOwner(store, 'one')
        const { receipts } = await owner.exchange({ append: records('a', 'b') })
        assert.deepEqual(receipts, ['accepted', 'accepted'])
        assert.deepEqual((await owner.exchange({ claim: ['b'] })).claimed, ['b'])
        await owner.exchange({ settle: ['b'], figures: { tracked: 2 } })
        assert.deepEqual(await store.readFleet(), { figures: { tracked: 2 }, records: 1 })
        assert.equal(await store.hasArrivals(owner.seenUpTo), false)
      })
    })
  }

  it('refuses anything else at start-up, and says what it expects', () => {
    for (const client of [undefined, null, 'redis://:secret@host', {}, { evalsha: 1 }, () => {}]) {
      assert.throws(() => scriptRunner(client), {
        name: 'ConfigurationError',
        code: 'invalid-options',
        message: /client: expected a client of ioredis 5 or 6 .* or of redis 5 or 6/,
      })
    }
  })
})
