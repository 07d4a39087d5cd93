import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis5'
import type { RedisClient } from '../../lib/redis/client.js'

export interface OpenClient {
  readonly client: RedisClient
  close(): void
}

const ignoreErrors = () => {}

/** A connected client of each supported library. */
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
}
