import type { Clock } from '../../clock.js'
import { describeError } from '../../errors.js'
import type { Impression, Outcome } from '../../impression.js'
import type { Log } from '../../logger.js'
import { Queue } from '../queue.js'
import type { Awaitable, Claim, Fleet, Outbox, OutboxEvents, Receipt } from './outbox.js'

export interface RetryingOutboxDependencies {
  /** The network's name. */
  readonly network: string
  readonly outbox: Outbox
  readonly clock: Clock
  readonly log: Log
  /** Called with the result of each append. */
  readonly onReceipt: (impression: Impression, receipt: Receipt) => void
  /** Called when an outbox that failed is used again. */
  readonly onResume: () => void
}

/** How long an outbox that failed is not used. */
const PAUSE_MS = 1_000

/** Most appends at a time, so that an outbox that still fails is not flooded. */
const CONCURRENT_APPENDS = 100

/**
 * An outbox as delivery uses it. Callbacks run at once if the outbox answers at once. If it throws
 * or rejects, it is paused, and what must reach it is tried again until it does.
 */
export class RetryingOutbox {
  readonly #dependencies: RetryingOutboxDependencies
  /** Impressions that a failing outbox has not stored yet. */
  readonly #backlog = new Queue<Impression>()
  /** Operations that a failing outbox has not done yet. */
  #deferred: (() => void)[] = []
  #isPaused = false
  #isStoringBacklog = false
  /** Appends that have not been answered. */
  #appending = 0
  /** Promises of the outbox that have not settled. */
  #outstanding = 0
  #idleWaiters: (() => void)[] = []

  constructor(dependencies: RetryingOutboxDependencies) {
    this.#dependencies = dependencies
  }

  /** Impressions that may be claimed now. */
  get waiting(): number {
    return this.#isPaused ? 0 : this.#dependencies.outbox.waiting
  }

  get hasFullBatch(): boolean {
    return this.#dependencies.outbox.hasFullBatch
  }

  get nextTrackedAtMs(): number | undefined {
    return this.#dependencies.outbox.nextTrackedAtMs
  }

  append(impression: Impression): void {
    // After the backlog, so that impressions are sent in the order in which they were tracked.
    if (this.#isPaused || this.#backlog.length > 0) this.#backlog.push(impression)
    else this.#append(impression)
  }

  /** @param next gets `undefined` if nothing waits or the outbox failed */
  claim(max: number, isMixed: boolean, next: (claim: Claim | undefined) => void): void {
    this.#attempt(
      () => this.#dependencies.outbox.claim(max, isMixed),
      next,
      () => next(undefined),
    )
  }

  settle(
    claim: Claim,
    impressions: readonly Impression[],
    outcome: Outcome,
    next = () => {},
  ): void {
    this.#retryUntilDone(() => this.#dependencies.outbox.settle(claim, impressions, outcome), next)
  }

  release(claim: Claim, impressions: readonly Impression[], next: () => void): void {
    this.#retryUntilDone(() => this.#dependencies.outbox.release(claim, impressions), next)
  }

  /** @param next called for the backlog, and again for the outbox unless it fails */
  expire(beforeMs: number, next: (expired: readonly Impression[]) => void): void {
    const expired: Impression[] = []
    for (const impression of this.#backlog.take(this.#backlog.length)) {
      if (impression.trackedAtMs < beforeMs) expired.push(impression)
      else this.#backlog.push(impression)
    }
    next(expired)
    if (this.#isPaused) return
    this.#attempt(
      () => this.#dependencies.outbox.expire(beforeMs),
      next,
      () => {},
    )
  }

  recover(events: OutboxEvents, next: (lost: readonly Impression[]) => void): void {
    this.#retryUntilDone(() => this.#dependencies.outbox.recover(events), next)
  }

  /** `undefined` unless several processes share the outbox. */
  get fleet(): Fleet | undefined {
    return this.#dependencies.outbox.fleet
  }

  /** Resolves when the outbox is not paused and has answered everything. */
  async whenIdle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  #isIdle(): boolean {
    return this.#outstanding === 0 && !this.#isPaused
  }

  #append(impression: Impression): void {
    this.#appending += 1
    this.#attempt(
      () => this.#dependencies.outbox.append(impression),
      (receipt) => {
        this.#appending -= 1
        this.#dependencies.onReceipt(impression, receipt)
        if (this.#backlog.length > 0) this.#storeBacklog()
      },
      () => {
        this.#appending -= 1
        this.#backlog.push(impression)
      },
    )
  }

  #storeBacklog(): void {
    // An outbox that answers at once calls this again: the loop below goes on by itself.
    if (this.#isStoringBacklog) return
    this.#isStoringBacklog = true
    try {
      while (!this.#isPaused && this.#appending < CONCURRENT_APPENDS) {
        const impression = this.#backlog.shift()
        if (!impression) break
        this.#append(impression)
      }
    } finally {
      this.#isStoringBacklog = false
    }
  }

  #retryUntilDone<Value>(operation: () => Awaitable<Value>, next: (value: Value) => void): void {
    const retry = () => this.#retryUntilDone(operation, next)
    if (this.#isPaused) this.#deferred.push(retry)
    else this.#attempt(operation, next, () => this.#deferred.push(retry))
  }

  #attempt<Value>(
    operation: () => Awaitable<Value>,
    onSuccess: (value: Value) => void,
    onFailure: () => void,
  ): void {
    let result: Awaitable<Value>
    try {
      result = operation()
    } catch (thrown) {
      this.#pause(thrown)
      onFailure()
      return
    }
    if (isPromise(result)) this.#whenSettled(result, onSuccess, onFailure)
    else onSuccess(result)
  }

  #whenSettled<Value>(
    result: Promise<Value>,
    onSuccess: (value: Value) => void,
    onFailure: () => void,
  ): void {
    result.then(
      (value) => {
        this.#outstanding -= 1
        onSuccess(value)
        this.#notifyIfIdle()
      },
      (thrown: unknown) => {
        this.#outstanding -= 1
        this.#pause(thrown)
        onFailure()
      },
    )
    this.#outstanding += 1
  }

  #notifyIfIdle(): void {
    if (!this.#isIdle()) return
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #pause(thrown: unknown): void {
    const { network, log, clock } = this.#dependencies
    if (!this.#isPaused) {
      clock.after(PAUSE_MS, () => this.#resume())
      this.#isPaused = true
    }
    log.error(`outbox-failed ${network}`, `${network}: the outbox failed: ${describeError(thrown)}`)
  }

  #resume(): void {
    this.#isPaused = false
    for (const retry of this.#deferred.splice(0)) retry()
    this.#storeBacklog()
    this.#dependencies.onResume()
    this.#notifyIfIdle()
  }
}

function isPromise<Value>(value: Awaitable<Value>): value is Promise<Value> {
  return typeof value === 'object' && value !== null && 'then' in value
}
