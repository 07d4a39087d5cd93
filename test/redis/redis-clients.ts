import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createClient, createClientPool } from 'redis'
import { createClient as createClient5, createClientPool as createPool5 } from 'redis5'
import type { RedisClient } from '../../lib/redis/client.js'

export interface OpenClient {
  readonly client: RedisClient
  close(): void
}

const ignoreErrors = () => {}

/** A connected client of each supported library; a pool is one, too. */
export const CLIENTS: Readonly<Record<string, (port: number) => Promise<OpenClient>>> = {
  'ioredis 6': async (port) => {
    const client = new Redis(port, '127.0.0.1').on('error', ignoreErrors)
    return { client, close: () => client.disconnect() }
  },
  'redis 6': async (port) => {
    const client = createClient({ socket: { host: '127.0.0.1', port } }).on('error', ignoreErrors)
    await client.connect()
    return { client, close: () => client.destroy() }
  },
  'ioredis 5': async (port) => {
    const client = new Redis5(port, '127.0.0.1').on('error', ignoreErrors)
    return { client, close: () => client.disconnect() }
  },
  'redis 5': async (port) => {
    const client = createClient5({ socket: { host: '127.0.0.1', port } }).on('error', ignoreErrors)
    await client.connect()
    return { client, close: () => client.destroy() }
  },
  'a pool of redis 6': async (port) => {
    const pool = createClientPool({ socket: { host: '127.0.0.1', port } }, { minimum: 2 })
    await pool.on('error', ignoreErrors).connect()
    return { client: pool, close: () => pool.destroy() }
  },
  'a pool of redis 5': async (port) => {
    const pool = createPool5({ socket: { host: '127.0.0.1', port } }, { minimum: 2 })
    await pool.on('error', ignoreErrors).connect()
    return { client: pool, close: () => pool.destroy() }
  },
}
