import type { Impression } from '../impression.js'
import { Queue } from './queue.js'

/** A value, or the promise of one: memory answers at once, and must not pay for a promise. */
export type Awaitable<Value> = Value | Promise<Value>

/** What became of an appended impression. `duplicate`: another process has taken it already. */
export type Receipt = 'accepted' | 'duplicate' | 'overflow'

/** Impressions that are this process's to send, and may share one call. */
export interface Claim {
  readonly impressions: readonly Impression[]
  /**
   * Proves that the claim still holds when it is settled or released: an outbox that several
   * processes share may have given it to another one meanwhile.
   */
  readonly fence?: string | number
}

/** What an outbox is told when it is opened. */
export interface OutboxOptions {
  /** The network whose impressions it holds. */
  readonly network: string
  /** Most impressions in it, waiting and claimed. */
  readonly maxPending: number
  /** Most impressions a call carries. */
  readonly maxBatch: number
}

/** Opens the outbox of one network: what the option `outbox` takes. */
export type OpenOutbox = (options: OutboxOptions) => Outbox

/**
 * Where one network's accepted impressions wait. An impression is in it from `append` until it is
 * settled: claimed for a call, and then settled, or released to wait again. Every method may
 * answer at once or by a promise, which must end some time. Where it throws or rejects the caller
 * asks again later: an impression that was taken all the same is then `accepted` once more, not twice.
 *
 * An impression that another process appended is given out with `sequence` 0.
 */
export interface Outbox {
  /** Impressions that wait for a claim, as far as is known here. */
  readonly waiting: number
  /** Whether `maxBatch` impressions wait that may share one call: it gains nothing by waiting. */
  readonly hasFullBatch: boolean
  /** When the impression that is claimed next was tracked, in ms since the epoch. */
  readonly nextTrackedAtMs: number | undefined
  append(impression: Impression): Awaitable<Receipt>
  /** Up to `max` impressions that may share one call; `undefined` if nothing waits (any more). */
  claim(max: number): Awaitable<Claim | undefined>
  /** These impressions of the claim have their outcome. */
  settle(claim: Claim, impressions: readonly Impression[]): Awaitable<void>
  /** These impressions of the claim wait again. */
  release(claim: Claim, impressions: readonly Impression[]): Awaitable<void>
  /** Takes out every waiting impression that this process appended and that is older. */
  expire(beforeMs: number): Awaitable<readonly Impression[]>
  /**
   * What a process that died has left: what it never sent waits again, and what it had in flight
   * is returned, for its outcome is `uncertain`. Asked once, at the start.
   */
  recover(): Awaitable<readonly Impression[]>
}

/** After so many full batches in a row it is the turn of one that is not. */
const FULL_IN_A_ROW = 3

/** The embedded default: what waits in it ends with the process. */
export class MemoryOutbox implements Outbox {
  /** By batch key, in the order in which they are served. */
  readonly #queues = new Map<string, Queue<Impression>>()
  /** The keys of the queues that hold a full batch. */
  readonly #full = new Set<string>()
  readonly #maxPending: number
  readonly #maxBatch: number
  #waiting = 0
  #claimed = 0
  #fullInARow = 0

  constructor({ maxPending, maxBatch }: Pick<OutboxOptions, 'maxPending' | 'maxBatch'>) {
    this.#maxPending = maxPending
    this.#maxBatch = maxBatch
  }

  get waiting(): number {
    return this.#waiting
  }

  get hasFullBatch(): boolean {
    return this.#full.size > 0
  }

  get nextTrackedAtMs(): number | undefined {
    const [next] = this.#queues.values()
    return next?.first?.trackedAtMs
  }

  append(impression: Impression): Receipt {
    if (this.#waiting + this.#claimed >= this.#maxPending) return 'overflow'
    this.#enqueue(impression)
    return 'accepted'
  }

  claim(max: number): Claim | undefined {
    const next = this.#nextKey()
    const queue = next === undefined ? undefined : this.#queues.get(next)
    if (next === undefined || queue === undefined) return undefined
    const impressions = queue.take(max)
    this.#waiting -= impressions.length
    this.#claimed += impressions.length
    // What is left goes behind the others.
    this.#queues.delete(next)
    this.#full.delete(next)
    if (queue.length > 0) this.#queues.set(next, queue)
    if (queue.length >= this.#maxBatch) this.#full.add(next)
    return { impressions }
  }

  /** A full batch first, but never so that busy search queries starve the others. */
  #nextKey(): string | undefined {
    const [full] = this.#full
    const [first] = this.#queues.keys()
    const isFull = full !== undefined && this.#fullInARow < FULL_IN_A_ROW
    this.#fullInARow = isFull ? this.#fullInARow + 1 : 0
    return isFull ? full : first
  }

  settle(_claim: Claim, impressions: readonly Impression[]): void {
    this.#claimed -= impressions.length
  }

  release(_claim: Claim, impressions: readonly Impression[]): void {
    this.#claimed -= impressions.length
    // Behind what waits: an impression that the network cannot digest then blocks no other.
    for (const impression of impressions) this.#enqueue(impression)
  }

  expire(beforeMs: number): readonly Impression[] {
    const expired: Impression[] = []
    for (const [key, queue] of [...this.#queues]) {
      for (const impression of queue.take(queue.length)) {
        if (impression.trackedAtMs < beforeMs) expired.push(impression)
        else queue.push(impression)
      }
      if (queue.length === 0) this.#queues.delete(key)
      if (queue.length < this.#maxBatch) this.#full.delete(key)
    }
    this.#waiting -= expired.length
    return expired
  }

  recover(): readonly Impression[] {
    return []
  }

  #enqueue(impression: Impression): void {
    const { batchKey } = impression
    let queue = this.#queues.get(batchKey)
    if (!queue) {
      queue = new Queue()
      this.#queues.set(batchKey, queue)
    }
    queue.push(impression)
    if (queue.length === this.#maxBatch) this.#full.add(batchKey)
    this.#waiting += 1
  }
}
