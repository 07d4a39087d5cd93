import type { Impression } from '../../impression.js'
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

/** After so many full batches in a row it is the turn of one that may not be. */
const FULL_IN_A_ROW = 3

/** The waiting impressions of one batch key. */
interface BatchQueue {
  readonly batchKey: string
  readonly impressions: Queue<Impression>
  /** Whether it stands among the full ones, be it full still or not. */
  isAmongFull: boolean
}

/** The embedded default: what waits in it ends with the process. */
export class MemoryOutbox implements Outbox {
  readonly #lines = new Map<string, BatchQueue>()
  /** Every line once, in the order in which they are served; and the full ones once more. */
  readonly #turns = new Queue<BatchQueue>()
  readonly #full = new Queue<BatchQueue>()
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
    return this.#firstFull() !== undefined
  }

  get nextTrackedAtMs(): number | undefined {
    return this.#next()?.impressions.first?.trackedAtMs
  }

  append(impression: Impression): Receipt {
    if (this.#waiting + this.#claimed >= this.#maxPending) return 'overflow'
    this.#enqueue(impression)
    return 'accepted'
  }

  claim(max: number): Claim | undefined {
    const isFullsTurn = this.#isFullsTurn()
    const line = this.#next()
    if (!line) return undefined
    const impressions = line.impressions.take(max)
    this.#waiting -= impressions.length
    this.#claimed += impressions.length
    if (isFullsTurn) {
      this.#fullInARow += 1
      this.#full.shift()
      line.isAmongFull = false
    } else {
      this.#fullInARow = 0
      this.#turns.shift()
      if (line.impressions.length > 0) this.#turns.push(line)
      else this.#lines.delete(line.batchKey)
    }
    this.#noticeIfFull(line)
    return { impressions }
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
    for (const { impressions } of this.#lines.values()) {
      for (const impression of impressions.take(impressions.length)) {
        if (impression.trackedAtMs < beforeMs) expired.push(impression)
        else impressions.push(impression)
      }
    }
    this.#forgetEmptyLines()
    this.#waiting -= expired.length
    return expired
  }

  recover(): readonly Impression[] {
    return []
  }

  /** The line that is served next: a full one first, but never so that those starve the others. */
  #next(): BatchQueue | undefined {
    return this.#isFullsTurn() ? this.#firstFull() : this.#firstInTurn()
  }

  #isFullsTurn(): boolean {
    return this.#fullInARow < FULL_IN_A_ROW && this.#firstFull() !== undefined
  }

  #firstFull(): BatchQueue | undefined {
    let line = this.#full.first
    while (line && line.impressions.length < this.#maxBatch) {
      this.#full.shift()
      line.isAmongFull = false
      line = this.#full.first
    }
    return line
  }

  #firstInTurn(): BatchQueue | undefined {
    let line = this.#turns.first
    while (line && line.impressions.length === 0) {
      this.#turns.shift()
      this.#lines.delete(line.batchKey)
      line = this.#turns.first
    }
    return line
  }

  /** Their keys are text that viewers typed: behind a closed gate they would pile up. */
  #forgetEmptyLines(): void {
    const isEmpty = (line: BatchQueue) => line.impressions.length === 0
    for (const line of this.#turns.take(this.#turns.length)) {
      if (isEmpty(line)) this.#lines.delete(line.batchKey)
      else this.#turns.push(line)
    }
    for (const line of this.#full.take(this.#full.length)) {
      if (!isEmpty(line)) this.#full.push(line)
    }
  }

  #enqueue(impression: Impression): void {
    const { batchKey } = impression
    let line = this.#lines.get(batchKey)
    if (!line) {
      line = { batchKey, impressions: new Queue(), isAmongFull: false }
      this.#lines.set(batchKey, line)
      this.#turns.push(line)
    }
    line.impressions.push(impression)
    this.#noticeIfFull(line)
    this.#waiting += 1
  }

  #noticeIfFull(line: BatchQueue): void {
    if (line.isAmongFull || line.impressions.length < this.#maxBatch) return
    line.isAmongFull = true
    this.#full.push(line)
  }
}
