// Tests lib/redis/redis-store.ts

import assert from 'node:assert/strict'
import { scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { VirtualClock } from '../delivery/virtual-clock.js'
import { CLIENTS, type OpenClient } from './redis-clients.js'
import { RedisServer } from './redis-server.js'

/** Options of a server that loads each key slowly, and answers meanwhile. */
const SLOW_LOADING = [
  '--key-load-delay',
  '50000',
  '--loading-process-events-interval-bytes',
  '1024',
]

for (const library of ['ioredis 6', 'redis 6']) {
  describe(`Redis failures, over ${library}`, () => {
    let server: RedisServer
    let opened: OpenClient | undefined
    let clock: VirtualClock
    let owner: StoreOwner

    beforeEach(async () => {
      server = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always'])
      opened = await CLIENTS[library]?.(server.port)
      clock = new VirtualClock()
      owner = new StoreOwner(openStore(), 'one')
      await owner.exchange({ append: records('first') })
    })
    afterEach(async () => {
      opened?.close()
      await server.stop()
    })

    function openStore(): RedisStore {
      const run = scriptRunner(opened?.client)
      return new RedisStore({ run, prefix: 'p', network: 'n', waitForReplicas: 0, clock })
    }

    const exchange = () => owner.exchange({ append: { number: 2, records: records('second') } })

    /** Exchanges until the deadline, and checks how that fails. */
    async function failInTime(expected: RegExp): Promise<void> {
      const failed = assert.rejects(exchange(), expected)
      await clock.advanceAsync(5_000)
      await failed
    }

    /** The step that failed is repeated, and whether or not it was done, its record is stored once. */
    async function succeedAgain(): Promise<void> {
      const append = { number: 2, records: records('second') }
      const { isLost, receipts } = await owner.exchange({ append, isResync: true })
      assert.equal(isLost, false)
      assert.deepEqual(receipts, ['accepted'])
      assert.equal((await owner.store.readFleet()).records, 2)
    }

    async function waitUntilBusy(): Promise<void> {
      const isBusy = (error: unknown) => error instanceof Error && error.message.startsWith('BUSY')
      while ((await server.run('PING').catch(isBusy)) !== true);
    }

    it('rejects while the server is down, and goes on after its restart', async () => {
      await server.kill()
      await failInTime(/^Error: Redis: (no answer within 5 s|.*closed|.*ECONNREFUSED)/)
      await server.restart()
      await succeedAgain()
    })

    it('gives a frozen server up, and ignores its late answer', async () => {
      server.freeze()
      await failInTime(/^Error: Redis: no answer within 5 s$/)
      await failInTime(/^Error: Redis: no answer within 5 s$/)
      server.resume()
      await succeedAgain()
    })

    it('appends nothing when memory is full, but frees memory', async () => {
      await server.run('CONFIG', 'SET', 'maxmemory', '1')
      assert.equal((await exchange()).isFull, true)
      assert.equal((await owner.store.readFleet()).records, 1)
      assert.deepEqual((await owner.exchange({ claim: ['first'] })).claimed, ['first'])
      await owner.exchange({ release: records('first') })
      await owner.exchange({ claim: ['first'] })
      await owner.exchange({ settle: ['first'] })
      assert.equal((await owner.store.readFleet()).records, 0)
      await server.run('CONFIG', 'SET', 'maxmemory', '0')
      const append = { number: 2, records: records('second') }
      assert.deepEqual((await owner.exchange({ append })).receipts, ['accepted'])
    })

    it('does the rest of a step when memory is full, and repeats its receipts', async () => {
      await server.run('CONFIG', 'SET', 'maxmemory', '1')
      const append = { number: 2, records: records('second') }
      const { claimed, receipts, isFull } = await owner.exchange({ append, claim: ['first'] })
      assert.deepEqual([claimed, receipts, isFull], [['first'], [], true])
      await server.run('CONFIG', 'SET', 'maxmemory', '0')
      await owner.exchangeInVain({ append })
      await server.run('CONFIG', 'SET', 'maxmemory', '1')
      const again = await owner.exchange({ append, isResync: true })
      assert.deepEqual([again.receipts, again.isFull], [['accepted'], false])
    })

    it('rejects on a replica, and goes on when it is promoted', async () => {
      await server.run('REPLICAOF', '127.0.0.1', '1')
      await assert.rejects(exchange(), /^Error: Redis: READONLY/)
      await server.run('REPLICAOF', 'NO', 'ONE')
      await succeedAgain()
    })

    it('rejects while a script of another client takes long', async () => {
      await server.run('CONFIG', 'SET', 'busy-reply-threshold', '1')
      const endless = assert.rejects(server.run('EVAL', 'while true do end', 0), /killed/)
      await waitUntilBusy()
      await assert.rejects(exchange(), /^Error: Redis: BUSY/)
      await server.run('SCRIPT', 'KILL')
      await endless
      await succeedAgain()
    })

    it('rejects without enough replicas as the server demands', async () => {
      await server.run('CONFIG', 'SET', 'min-replicas-to-write', '1')
      await assert.rejects(exchange(), /^Error: Redis: NOREPLICAS/)
      await server.run('CONFIG', 'SET', 'min-replicas-to-write', '0')
      await succeedAgain()
    })

    it('rejects while the server loads its data', async () => {
      await server.run('CONFIG', 'SET', 'appendonly', 'no')
      await server.run('CONFIG', 'SET', 'rdbcompression', 'no')
      const fill = "for n = 1, 100 do redis.call('SET', 'key ' .. n, string.rep('x', 2000)) end"
      await server.run('EVAL', fill, 0)
      await server.run('SAVE')
      await server.kill()
      await server.restart([...SLOW_LOADING, '--appendonly', 'no'], 'loading')
      await assert.rejects(server.run('GET', 'key 1'), /LOADING/)
      await failInTime(/^Error: Redis: (LOADING|no answer within 5 s)/)
      await server.run('CONFIG', 'SET', 'key-load-delay', '0')
      await server.waitUntilUp()
      await succeedAgain()
    })

    it('is lost after the server lost its data', async () => {
      await server.run('FLUSHALL')
      assert.equal((await owner.exchange()).isLost, true)
    })
  })
}
