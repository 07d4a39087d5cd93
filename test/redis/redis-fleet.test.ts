import { fleetContract } from '../delivery/outbox/fleet-contract.js'
import { RedisServer } from './redis-server.js'

describe('a fleet over Redis', () => {
  fleetContract('Redis, restarted with its append-only file', async () => {
    // By default, a server that is killed while its disk is slow forgets what it has acknowledged.
    const server = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always'])
    return {
      engine: { kind: 'redis', url: server.url },
      disturb: async () => {
        await server.kill()
        await server.restart()
      },
      close: () => server.stop(),
    }
  })
})
