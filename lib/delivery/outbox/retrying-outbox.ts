import type { Clock } from '../../clock.js'
import { describeError } from '../../errors.js'
import type { Impression } from '../../impression.js'
import type { Log } from '../../logger.js'
import type { Awaitable, Claim, Outbox, Receipt } from './outbox.js'
import { Queue } from './queue.js'

export interface RetryingOutboxDependencies {
  readonly network: string
  readonly outbox: Outbox
  readonly clock: Clock
  readonly log: Log
  /** Told what an append came to. */
  readonly onReceipt: (impression: Impression, receipt: Receipt) => void
  /** Told when an outbox that failed is tried again. */
  readonly onResume: () => void
}

/** How long an outbox that failed is left alone. */
const PAUSE_MS = 1_000

/** So many of them are handed over at once, so that one that still fails is not stormed. */
const STORED_AT_ONCE = 100

/**
 * An outbox as delivery uses it: at once where it answers at once, and asked again later where it
 * throws or rejects, until it has heard all that it must know.
 */
export class RetryingOutbox {
  readonly #dependencies: RetryingOutboxDependencies
  /** What an outbox that failed has not taken yet. */
  #backlog = new Queue<Impression>()
  /** What an outbox that failed has not heard yet. */
  #deferred: (() => void)[] = []
  #isPaused = false
  #isStoring = false
  #storing = 0
  /** Promises that it has not kept yet. */
  #outstanding = 0
  #idleWaiters: (() => void)[] = []

  constructor(parts: RetryingOutboxDependencies) {
    this.#dependencies = parts
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
    if (this.#isPaused || this.#backlog.length > 0) {
      // Behind those that wait already, so that what came first leaves first.
      this.#backlog.push(impression)
    } else {
      this.#append(impression)
    }
  }

  /** @param next is told nothing if nothing waits, or the outbox failed */
  claim(max: number, next: (claim: Claim | undefined) => void): void {
    this.#attempt(
      () => this.#dependencies.outbox.claim(max),
      next,
      () => next(undefined),
    )
  }

  settle(claim: Claim, impressions: readonly Impression[]): void {
    this.#retryUntilDone(
      () => this.#dependencies.outbox.settle(claim, impressions),
      () => {},
    )
  }

  release(claim: Claim, impressions: readonly Impression[], next: () => void): void {
    this.#retryUntilDone(() => this.#dependencies.outbox.release(claim, impressions), next)
  }

  /** @param next is told of less if the outbox fails */
  expire(beforeMs: number, next: (expired: readonly Impression[]) => void): void {
    const old: Impression[] = []
    for (const impression of this.#backlog.take(this.#backlog.length)) {
      if (impression.trackedAtMs < beforeMs) old.push(impression)
      else this.#backlog.push(impression)
    }
    next(old)
    if (this.#isPaused) return
    this.#attempt(
      () => this.#dependencies.outbox.expire(beforeMs),
      next,
      () => {},
    )
  }

  recover(next: (lost: readonly Impression[]) => void): void {
    this.#retryUntilDone(() => this.#dependencies.outbox.recover(), next)
  }

  /** Resolves when the outbox has kept what it promised, and has heard what it must know. */
  async whenIdle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  #isIdle(): boolean {
    return this.#outstanding === 0 && !this.#isPaused
  }

  #append(impression: Impression): void {
    this.#storing += 1
    this.#attempt(
      () => this.#dependencies.outbox.append(impression),
      (receipt) => {
        this.#storing -= 1
        this.#dependencies.onReceipt(impression, receipt)
        if (this.#backlog.length > 0) this.#storeBacklog()
      },
      () => {
        this.#storing -= 1
        this.#backlog.push(impression)
      },
    )
  }

  #storeBacklog(): void {
    // An outbox that answers at once comes back here: the loop below goes on by itself.
    if (this.#isStoring) return
    this.#isStoring = true
    while (!this.#isPaused && this.#storing < STORED_AT_ONCE) {
      const impression = this.#backlog.shift()
      if (!impression) break
      this.#append(impression)
    }
    this.#isStoring = false
  }

  /** Asks what must be heard: again and again until it is. */
  #retryUntilDone<Value>(question: () => Awaitable<Value>, next: (value: Value) => void): void {
    if (this.#isPaused) this.#deferred.push(() => this.#retryUntilDone(question, next))
    else {
      this.#attempt(question, next, () => {
        this.#deferred.push(() => this.#retryUntilDone(question, next))
      })
    }
  }

  #attempt<Value>(
    question: () => Awaitable<Value>,
    next: (value: Value) => void,
    failed: () => void,
  ): void {
    let answer: Awaitable<Value>
    try {
      answer = question()
    } catch (thrown) {
      this.#pause(thrown)
      failed()
      return
    }
    if (!isPromise(answer)) {
      next(answer)
      return
    }
    this.#outstanding += 1
    answer.then(
      (value) => {
        next(value)
        this.#onAttemptEnded()
      },
      (thrown: unknown) => {
        this.#pause(thrown)
        failed()
        this.#onAttemptEnded()
      },
    )
  }

  #onAttemptEnded(): void {
    this.#outstanding -= 1
    this.#notifyIfIdle()
  }

  #notifyIfIdle(): void {
    if (!this.#isIdle()) return
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #pause(thrown: unknown): void {
    const { network, log, clock } = this.#dependencies
    log.error(`outbox ${network}`, `${network}: the outbox failed: ${describeError(thrown)}`)
    if (this.#isPaused) return
    this.#isPaused = true
    clock.after(PAUSE_MS, () => {
      this.#isPaused = false
      for (const say of this.#deferred.splice(0)) say()
      this.#storeBacklog()
      this.#dependencies.onResume()
      this.#notifyIfIdle()
    })
  }
}

function isPromise<Value>(answer: Awaitable<Value>): answer is Promise<Value> {
  return typeof answer === 'object' && answer !== null && 'then' in answer
}
