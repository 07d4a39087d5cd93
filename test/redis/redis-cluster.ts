import { RedisServer } from './redis-server.js'

const SLOTS = 16_384

/** A real cluster of three primaries on loopback. */
export class RedisCluster {
  readonly servers: readonly RedisServer[]

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  static async start(): Promise<RedisCluster> {
    const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000']
    const servers = await Promise.all([1, 2, 3].map(() => RedisServer.start(options)))
    const cluster = new RedisCluster(servers)
    await cluster.#join()
    return cluster
  }

  get ports(): number[] {
    return this.servers.map(({ port }) => port)
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop()
  }

  async #join(): Promise<void> {
    const [first] = this.servers
    const share = Math.ceil(SLOTS / this.servers.length)
    for (const [n, server] of this.servers.entries()) {
      const last = Math.min((n + 1) * share, SLOTS) - 1
      await server.run('CLUSTER', 'ADDSLOTSRANGE', n * share, last)
      await server.run('CLUSTER', 'SET-CONFIG-EPOCH', n + 1)
      await server.run('CLUSTER', 'MEET', '127.0.0.1', first?.port ?? 0)
    }
    for (const server of this.servers) {
      while (!String(await server.run('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    }
  }
}
