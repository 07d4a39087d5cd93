/**
 * An outbox in Redis or Valkey, for any number of machines.
 *
 * @module ad-impressions/redis
 */
import { z } from 'zod'
import { checkOptions, wholeNumber } from '../check-options.js'
import type { OpenOutbox } from '../delivery/outbox/outbox.js'
import { SharedOutbox } from '../delivery/outbox/shared-outbox.js'
import { type RedisClient, scriptRunner } from './client.js'
import { RedisStore } from './redis-store.js'

export type {
  IoredisClient,
  NodeRedisArguments,
  NodeRedisClient,
  NodeRedisPipeline,
  RedisClient,
} from './client.js'

/** The options of `redisOutbox()`. */
export interface RedisOutboxOptions {
  /**
   * A client of `ioredis` 5 or 6 (`new Redis()`, `new Cluster()`) or of `redis` 5 or 6
   * (`createClient()`, `createClientPool()`, `createCluster()`, `createSentinel()`). It is yours to
   * configure, to connect and, after the tracker, to close. Give it an `error` listener: without
   * one, a client of `redis` ends the process when it loses its connection.
   */
  client: RedisClient
  /**
   * What the names of the keys begin with. Apps with different prefixes share nothing, although they
   * use one database.
   *
   * @default 'ad-impressions'
   */
  prefix?: string
  /**
   * How long a process may stay silent before others take over from it, in milliseconds. A process
   * that is stopped, or whose event loop is blocked, for longer loses what it has accepted to others.
   *
   * @default 10_000
   */
  leaseMs?: number
  /**
   * How many replicas must have an impression, or a claim, before it counts as stored. Without any,
   * a failover can lose what the primary had not replicated yet: an impression that was accepted, or
   * the record that one was sent, which then counts twice. Redis does not promise more with replicas
   * either, but the loss becomes much rarer. While fewer replicas answer, impressions wait in memory.
   * Redis makes the client's other commands wait as well: give the outbox a client of its own.
   *
   * @default 0
   */
  waitForReplicas?: number
}

const schema = z.strictObject({
  client: z.unknown(),
  prefix: z
    .string('expected a string')
    .min(1, 'expected a string that is not empty')
    .max(200)
    .default('ad-impressions'),
  leaseMs: wholeNumber(1_000).default(10_000),
  waitForReplicas: wholeNumber(0).default(0),
})

/**
 * An outbox in Redis 7 or Valkey 8, for any number of processes on any number of machines: the value
 * of the option `outbox`.
 *
 * Set `maxmemory-policy` of the server to `noeviction`, as for any queue: an evicted key would be an
 * impression lost, or counted twice.
 *
 * @throws {ConfigurationError} if an option is wrong; the message names it
 * @example
 * ```ts
 * const client = new Redis('redis://localhost:6379').on('error', (error) => log.warn(error))
 * app.use(impressions({ outbox: redisOutbox({ client }) }))
 * ```
 */
export function redisOutbox(options: RedisOutboxOptions): OpenOutbox {
  const { client, prefix, leaseMs, waitForReplicas } = checkOptions(
    'redisOutbox()',
    schema,
    options,
  )
  const run = scriptRunner(client)
  return (outboxOptions) => {
    const { network, clock } = outboxOptions
    const store = new RedisStore({ run, prefix, network, waitForReplicas, clock })
    return new SharedOutbox(store, outboxOptions, leaseMs)
  }
}
