import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import { findFreePort, findRedisServer, RedisServer } from './redis-server.js'

/** A primary, a replica, and a sentinel that promotes the replica when the primary is down. */
export class RedisSentinel {
  static readonly group = 'group'
  readonly primary: RedisServer
  readonly port: number
  readonly #replica: RedisServer
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'ad-impressions-sentinel-'))
  #process: ChildProcess | undefined

  private constructor(primary: RedisServer, replica: RedisServer, port: number) {
    this.primary = primary
    this.#replica = replica
    this.port = port
  }

  static async start(): Promise<RedisSentinel> {
    const primary = await RedisServer.start(['--repl-diskless-sync-delay', '0'])
    const replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(primary.port)])
    const sentinel = new RedisSentinel(primary, replica, await findFreePort())
    await sentinel.#watch()
    return sentinel
  }

  async stop(): Promise<void> {
    if (this.#process) {
      const hasEnded = once(this.#process, 'exit')
      this.#process.kill('SIGKILL')
      await hasEnded
    }
    rmSync(this.#directory, { recursive: true, force: true })
    await this.#replica.stop()
    await this.primary.stop()
  }

  async #watch(): Promise<void> {
    const { group } = RedisSentinel
    const file = path.join(this.#directory, 'sentinel.conf')
    const lines = [
      `port ${this.port}`,
      `dir ${this.#directory}`,
      `sentinel monitor ${group} 127.0.0.1 ${this.primary.port} 1`,
      `sentinel down-after-milliseconds ${group} 500`,
      `sentinel failover-timeout ${group} 2000`,
    ]
    writeFileSync(file, lines.join('\n'))
    this.#process = spawn(findRedisServer(), [file, '--sentinel'], { stdio: 'ignore' })
    const client = new Redis(this.port, '127.0.0.1', {
      retryStrategy: () => 20,
      enableReadyCheck: false,
    })
    client.on('error', () => {})
    const replicas = async () => client.call('SENTINEL', 'REPLICAS', group)
    while (JSON.stringify(await replicas()).includes('"slave"') === false);
    client.disconnect()
  }
}
