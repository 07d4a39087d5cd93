// Tests lib/redis/redis-store.ts

import { Redis } from 'ioredis'
import { scriptRunner } from '../../lib/redis/client.js'
import { RedisStore } from '../../lib/redis/redis-store.js'
import { storeContract } from '../delivery/outbox/store-contract.js'
import type { StoreSetup } from '../delivery/outbox/store-owner.js'
import { storeProperties } from '../delivery/outbox/store-properties.js'
import { CLIENTS, type OpenClient } from './redis-clients.js'
import { RedisServer } from './redis-server.js'
import { VirtualRedisTime } from './virtual-redis-time.js'

let networks = 0

for (const library of ['ioredis 6', 'redis 6']) {
  describe(`Redis store over ${library}`, () => {
    let server: RedisServer
    let admin: Redis
    let opened: OpenClient | undefined

    before(async () => {
      server = await RedisServer.start()
      admin = new Redis(server.port)
      opened = await CLIENTS[library]?.(server.port)
    })
    after(async () => {
      opened?.close()
      admin.disconnect()
      await server.stop()
    })

    function setUp(): StoreSetup {
      networks += 1
      const network = `network-${networks}`
      const time = new VirtualRedisTime()
      const run = time.wrap(scriptRunner(opened?.client))
      return {
        open: () => new RedisStore({ run, prefix: 'test', network, waitForReplicas: 0 }),
        advance: (ms) => time.advance(admin, `{test:${network}}:*`, ms),
      }
    }

    storeContract(library, setUp)
    storeProperties(library, setUp)
  })
}
