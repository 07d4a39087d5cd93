import { type Clock, systemClock } from '../clock.js'
import type {
  ExchangeRequest,
  ExchangeResponse,
  FleetFigures,
  Store,
} from '../delivery/outbox/store.js'
import { type ReplicaWait, type RunScript, type Script, toScript } from './client.js'
import { decodeResponse, type EncodedArguments, encodeRequest } from './exchange-messages.js'
import { EXCHANGE_SCRIPT } from './exchange-script.js'
import { fleetKeys, keyBase } from './keys.js'
import { ARRIVALS_SCRIPT, FLEET_SCRIPT } from './read-scripts.js'
import { toStoreError } from './store-error.js'

/** A client may queue commands without end while Redis is away. */
const TIMEOUT_MS = 5_000

/** Less than the timeout, so that the number of replicas is known before it. */
const REPLICA_TIMEOUT_MS = 1_000

const EXCHANGE = toScript(EXCHANGE_SCRIPT)
const ARRIVALS = toScript(ARRIVALS_SCRIPT)
const FLEET = toScript(FLEET_SCRIPT)

interface RedisStoreOptions {
  readonly run: RunScript
  readonly prefix: string
  readonly network: string
  /** 0: a step counts as done once the primary has done it. */
  readonly waitForReplicas: number
  readonly clock?: Clock
}

/**
 * A network's store in Redis. Every method settles within a few seconds, whatever the client does.
 *
 * Only one command at a time is in the client's hands, even after it was given up. So a queue that
 * the client keeps while Redis is away stays short, and steps are done in their order.
 */
export class RedisStore implements Store {
  readonly #run: RunScript
  readonly #base: string
  readonly #clock: Clock
  readonly #replicaWait: ReplicaWait | undefined
  /** Resolves when the client has an answer, or has failed. */
  #pendingCommand: Promise<void> | undefined

  constructor({ run, prefix, network, waitForReplicas, clock = systemClock }: RedisStoreOptions) {
    this.#run = run
    this.#base = keyBase(prefix, network)
    this.#clock = clock
    this.#replicaWait =
      waitForReplicas > 0 ? { replicas: waitForReplicas, timeoutMs: REPLICA_TIMEOUT_MS } : undefined
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    const { append, claim } = request
    const encode = () => encodeRequest(this.#base, request)
    const isWorthWaiting = append !== undefined || claim.length > 0
    const reply = await this.#send(EXCHANGE, encode, isWorthWaiting ? this.#replicaWait : undefined)
    return decodeResponse(reply, request)
  }

  async hasArrivals(seenUpTo: number): Promise<boolean> {
    const keys = [`${this.#base}state`]
    return (await this.#send(ARRIVALS, () => ({ keys, argument: String(seenUpTo) }))) === '1'
  }

  async readFleet(): Promise<FleetFigures> {
    const keys = fleetKeys(this.#base)
    return JSON.parse(await this.#send(FLEET, () => ({ keys, argument: '' })))
  }

  /** The client is the user's to close. */
  async close(): Promise<void> {}

  /** @param encode is called when it is the command's turn */
  async #send(script: Script, encode: () => EncodedArguments, wait?: ReplicaWait): Promise<string> {
    let cancelTimeout = () => {}
    const timeout = new Promise<never>((_resolve, reject) => {
      const onTimeout = () => reject(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`))
      // After a process stood still, Node runs timers before it reads sockets.
      cancelTimeout = this.#clock.after(TIMEOUT_MS, () => this.#clock.defer(onTimeout))
    })
    try {
      while (this.#pendingCommand) await Promise.race([this.#pendingCommand, timeout])
      const { keys, argument } = encode()
      const answer = this.#run(script, keys, argument, wait)
      this.#pendingCommand = this.#settled(answer)
      const { reply, replicas } = await Promise.race([answer, timeout])
      if (wait && !(replicas >= wait.replicas)) {
        throw new Error(`${replicas} of ${wait.replicas} replicas confirmed`)
      }
      return String(reply)
    } catch (error) {
      throw toStoreError(error)
    } finally {
      cancelTimeout()
    }
  }

  async #settled(answer: Promise<unknown>): Promise<void> {
    try {
      await answer
    } catch {
      // Reported to the caller, if it still waits.
    }
    this.#pendingCommand = undefined
  }
}
