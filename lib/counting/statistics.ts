import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import { type Impression, OUTCOMES, type Outcome, type OutcomeEvent } from '../impression.js'
import type { Log } from '../logger.js'

/**
 * One network's figures. They always balance:
 * `tracked = held + pending + the sum of the outcomes`.
 */
export type NetworkStats = Readonly<Record<Outcome | 'tracked' | 'held' | 'pending', number>>

/** Figures by network name; `unknown` has the invalid inputs whose network cannot be told. */
export type Stats = Readonly<Record<string, NetworkStats>>

export type OutcomeListener = (event: OutcomeEvent) => void

/** One network's figures while they are being counted. */
export type Account = { -readonly [Figure in keyof NetworkStats]: number }

/** What an outcome is told of: an impression, or an input that did not become one. */
export type OutcomeSubject = Pick<Impression, 'network' | 'requestId' | 'attempts'> & {
  readonly campaignId: string | number | undefined
  readonly trackedAtMs: number
}

export const UNKNOWN_NETWORK = 'unknown'

const outcomes = channel('ad-impressions:outcome')

/** Counts what becomes of every impression, and tells who listens. */
export class Statistics {
  readonly #accounts = new Map<string, Account>()
  readonly #listeners = new Set<OutcomeListener>()
  readonly #clock: Clock
  readonly #log: Log
  #idleWaiters: (() => void)[] = []

  constructor(networks: readonly { readonly name: string }[], clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    for (const { name } of networks) this.#accounts.set(name, emptyAccount())
    this.#accounts.set(UNKNOWN_NETWORK, emptyAccount())
  }

  account(network: string): Account {
    const account = this.#accounts.get(network)
    if (!account) throw new RangeError(`no account for ${network}`)
    return account
  }

  /** The one way in which an impression ends: it is counted here, then told. */
  conclude(account: Account, subject: OutcomeSubject, outcome: Outcome, reason: string): void {
    account[outcome] += 1
    this.#tell(subject, outcome, reason)
    if (this.#idleWaiters.length > 0 && this.#isIdle()) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve()
    }
  }

  /** Resolves when nothing is held or pending any more. */
  async whenIdle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  #isIdle(): boolean {
    for (const { held, pending } of this.#accounts.values()) if (held + pending > 0) return false
    return true
  }

  #tell(subject: OutcomeSubject, outcome: Outcome, reason: string): void {
    if (this.#listeners.size === 0 && !outcomes.hasSubscribers) return
    const { network, requestId, campaignId, attempts, trackedAtMs } = subject
    const event: OutcomeEvent = Object.freeze({
      network,
      outcome,
      reason,
      requestId,
      campaignId,
      attempts,
      latencyMs: Math.max(0, this.#clock.now() - trackedAtMs),
    })
    for (const listener of this.#listeners) {
      try {
        const heard: unknown = listener(event)
        // A listener may be async for all that its type says.
        if (heard instanceof Promise) heard.catch((thrown) => this.#tellOfListener(thrown))
      } catch (thrown) {
        this.#tellOfListener(thrown)
      }
    }
    outcomes.publish(event)
  }

  #tellOfListener(thrown: unknown): void {
    this.#log.error('outcome listener', `an outcome listener threw: ${describeError(thrown)}`)
  }

  on(event: 'outcome', listener: OutcomeListener): () => void {
    if (event !== 'outcome' || typeof listener !== 'function') {
      throw new TypeError("ad-impressions: on() takes 'outcome' and a function")
    }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  stats(): Stats {
    return Object.fromEntries(
      [...this.#accounts].map(([network, account]) => [network, { ...account }]),
    )
  }
}

function emptyAccount(): Account {
  const account = { tracked: 0, held: 0, pending: 0 } as Account
  for (const outcome of OUTCOMES) account[outcome] = 0
  return account
}
