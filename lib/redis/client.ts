import { createHash } from 'node:crypto'
import { ConfigurationError } from '../errors.js'

/** What is used of `Redis` and `Cluster` of `ioredis` 5 and 6. */
export interface IoredisClient {
  /** The command `EVALSHA`. */
  evalsha(sha1: string, numberOfKeys: number, ...args: string[]): Promise<unknown>
  /** The command `EVAL`. */
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>
  /** Commands that are sent together. */
  pipeline(commands: unknown[][]): {
    /** Sends them. */
    exec(): Promise<[error: Error | null, result: unknown][] | null>
  }
}

/** What is used of a client, pool, cluster or sentinel of `redis` (node-redis) 5 and 6. */
export interface NodeRedisClient {
  /** The command `EVALSHA`. */
  evalSha(sha1: string, options: NodeRedisArguments): Promise<unknown>
  /** The command `EVAL`. */
  eval(script: string, options: NodeRedisArguments): Promise<unknown>
  /** Commands that are sent together. */
  multi(): NodeRedisPipeline
}

/** What a script is called with. */
export interface NodeRedisArguments {
  /** The names of the keys that it uses. */
  keys: string[]
  /** Its other arguments. */
  arguments: string[]
}

/** What is used of the result of `multi()`. */
export interface NodeRedisPipeline {
  /** Adds the command `EVALSHA`. */
  evalSha(sha1: string, options: NodeRedisArguments): NodeRedisPipeline
  /** Adds the command `EVAL`. */
  eval(script: string, options: NodeRedisArguments): NodeRedisPipeline
  /** Adds the command `WAIT`. */
  wait(replicas: number, timeoutMs: number): NodeRedisPipeline
  /** Sends the commands. */
  execAsPipeline(): Promise<unknown[]>
}

/** A client that the app has made. */
export type RedisClient = IoredisClient | NodeRedisClient

/** A Lua script with its SHA-1, the name under which Redis remembers it. */
export interface Script {
  readonly text: string
  readonly sha1: string
}

export function toScript(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}

/** Waits for replicas: `WAIT` is sent over the connection that has sent the script. */
export interface ReplicaWait {
  readonly replicas: number
  readonly timeoutMs: number
}

/** The answers to a script and to `WAIT`, which is the number of replicas that have the change. */
export interface ScriptAnswer {
  readonly reply: unknown
  readonly replicas: number
}

/** Runs a script by its SHA-1, or by its text for a server that does not know it (any more). */
export type RunScript = (
  script: Script,
  keys: string[],
  argument: string,
  wait: ReplicaWait | undefined,
) => Promise<ScriptAnswer>

/**
 * Makes one function of either client.
 *
 * @throws {ConfigurationError} if it is none
 */
export function scriptRunner(client: unknown): RunScript {
  const run = isNodeRedis(client)
    ? runWithNodeRedis.bind(undefined, client)
    : isIoredis(client)
      ? runWithIoredis.bind(undefined, client)
      : undefined
  if (!run) {
    throw new ConfigurationError(
      'invalid-options',
      'redisOutbox(): client: expected a client of ioredis 5 or 6 (new Redis(), new Cluster()), ' +
        'or of redis 5 or 6 (createClient(), createClientPool(), createCluster(), createSentinel())',
    )
  }
  return async (script, keys, argument, wait) => {
    try {
      return await run(script, false, keys, argument, wait)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return run(script, true, keys, argument, wait)
    }
  }
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return hasMethods(client, ['evalSha', 'eval', 'multi'])
}

function isIoredis(client: unknown): client is IoredisClient {
  return hasMethods(client, ['evalsha', 'eval', 'pipeline'])
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof Reflect.get(value, name) === 'function')
}

async function runWithIoredis(
  client: IoredisClient,
  { text, sha1 }: Script,
  isByText: boolean,
  keys: string[],
  argument: string,
  wait: ReplicaWait | undefined,
): Promise<ScriptAnswer> {
  const [command, script] = isByText ? (['eval', text] as const) : (['evalsha', sha1] as const)
  if (!wait) {
    return { reply: await client[command](script, keys.length, ...keys, argument), replicas: 0 }
  }
  const results = await client
    .pipeline([
      [command, script, keys.length, ...keys, argument],
      ['wait', wait.replicas, wait.timeoutMs],
    ])
    .exec()
  const failed = results?.find(([error]) => error)
  if (failed) throw failed[0]
  return { reply: results?.[0]?.[1], replicas: Number(results?.[1]?.[1]) }
}

async function runWithNodeRedis(
  client: NodeRedisClient,
  { text, sha1 }: Script,
  isByText: boolean,
  keys: string[],
  argument: string,
  wait: ReplicaWait | undefined,
): Promise<ScriptAnswer> {
  const [command, script] = isByText ? (['eval', text] as const) : (['evalSha', sha1] as const)
  const options = { keys, arguments: [argument] }
  if (!wait) return { reply: await client[command](script, options), replicas: 0 }
  const pipeline = client.multi()[command](script, options)
  const [reply, replicas] = await pipeline.wait(wait.replicas, wait.timeoutMs).execAsPipeline()
  return { reply, replicas: Number(replicas) }
}
