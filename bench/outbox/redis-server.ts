import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'

/** A Redis server on loopback that keeps nothing on disk. */
export class RedisServer {
  readonly url: string
  readonly #process: ChildProcess
  readonly #client: Redis

  private constructor(port: number) {
    this.url = `redis://127.0.0.1:${port}`
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '']
    this.#process = spawn('redis-server', options, { stdio: 'ignore' })
    this.#client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
    this.#client.on('error', () => {}) // until it has started
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await findFreePort())
    await server.#client.ping()
    return server
  }

  flush(): Promise<unknown> {
    return this.#client.flushall()
  }

  /** How many scripts were run: each is one round trip. */
  async countScripts(): Promise<number> {
    const text = await this.#client.info('commandstats')
    const counts = [...text.matchAll(/^cmdstat_eval\w*:calls=(\d+)/gm)].map(([, calls]) =>
      Number(calls),
    )
    return counts.reduce((sum, calls) => sum + calls, 0)
  }

  async stop(): Promise<void> {
    this.#client.disconnect()
    const hasEnded = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await hasEnded
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  return typeof address === 'object' && address ? address.port : 0
}
