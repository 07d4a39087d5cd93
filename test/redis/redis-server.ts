import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import { findProgram } from '../prerequisites.js'

/** What the tests start: `redis-server`, or `valkey-server` if the environment says so. */
export const SERVER = process.env.REDIS_SERVER ?? 'redis-server'

/** @throws if it is missing; the message says how to install it */
export function findRedisServer(): string {
  assert(SERVER === 'redis-server' || SERVER === 'valkey-server', `REDIS_SERVER=${SERVER}`)
  return findProgram(SERVER)
}

/** A real server on loopback, in a temporary directory of its own. */
export class RedisServer {
  readonly port: number
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'ad-impressions-redis-'))
  readonly #options: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#options = options
  }

  /** @param options more of the server's options, e.g. `['--appendonly', 'yes']` */
  static async start(options: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await findFreePort(), options)
    await server.restart()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /**
   * Starts it again after `kill()`, in the same directory and on the same port.
   *
   * @param until `loading`: it is up, and may still load its data
   */
  async restart(options: readonly string[] = [], until?: 'loading'): Promise<void> {
    const place = ['--port', String(this.port), '--dir', this.#directory, '--bind', '127.0.0.1']
    const quiet = ['--save', '', '--loglevel', 'warning', '--appendfsync', 'always']
    this.#process = spawn(findRedisServer(), [...place, ...quiet, ...this.#options, ...options], {
      stdio: 'ignore',
    })
    await this.waitUntilUp(until)
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (!running || running.exitCode !== null) return
    const hasEnded = once(running, 'exit')
    running.kill('SIGKILL')
    await hasEnded
  }

  /** Stops it without closing its connections, until `resume()`. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Runs one command over a connection of its own. */
  async run(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis(this.port, '127.0.0.1', {
      retryStrategy: () => null,
      enableReadyCheck: false,
    })
    client.on('error', () => {})
    try {
      return await client.call(command, ...args)
    } finally {
      client.disconnect()
    }
  }

  /** @param until `loading`: it may still load its data */
  async waitUntilUp(until?: 'loading'): Promise<void> {
    const client = new Redis(this.port, '127.0.0.1', {
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
      enableReadyCheck: until !== 'loading',
    })
    client.on('error', () => {})
    try {
      await client.config('GET', 'port')
    } finally {
      client.disconnect()
    }
  }
}

export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
