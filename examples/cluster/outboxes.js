import { lmdbOutbox } from 'ad-impressions/lmdb'
import { redisOutbox } from 'ad-impressions/redis'
import { Redis } from 'ioredis'

/** By name. `close` is called after the tracker was closed. */
const OUTBOXES = {
  memory: () => ({ outbox: undefined, close() {} }),
  lmdb: () => ({ outbox: lmdbOutbox({ path: process.env.OUTBOX_DIRECTORY }), close() {} }),
  redis() {
    const client = new Redis(process.env.REDIS_URL ?? 'redis://localhost:6379')
    client.on('error', () => {}) // the outbox logs that it fails
    return {
      outbox: redisOutbox({ client, prefix: 'ad-impressions-example' }),
      close: () => client.disconnect(),
    }
  },
}

export function openOutbox(name) {
  const open = OUTBOXES[name]
  if (!open) throw new Error(`--outbox is one of ${Object.keys(OUTBOXES).join(', ')}`)
  return open()
}
