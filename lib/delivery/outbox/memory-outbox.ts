import type { Impression } from '../../impression.js'
import { Queue } from '../queue.js'
import type { Claim, Outbox, OutboxOptions, Receipt } from './outbox.js'

/** After this many full batches in a row, the next queue in turn is served, full or not. */
const FULL_IN_A_ROW = 3

/** The waiting impressions with one batch key. */
interface BatchQueue {
  readonly batchKey: string
  readonly impressions: Queue<Impression>
  /** Whether it is in `#full`, even if it is no longer full. */
  isListedAsFull: boolean
}

/** The default outbox: what waits in it ends with the process. */
export class MemoryOutbox implements Outbox {
  readonly #queues = new Map<string, BatchQueue>()
  /** Every queue once, in the order in which they are served. */
  readonly #turns = new Queue<BatchQueue>()
  /** The queues that hold a full batch, once more. */
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

  claim(max: number, isMixed = false): Claim | undefined {
    return isMixed ? this.#claimMixed(max) : this.#claimOneKey(max)
  }

  #claimMixed(max: number): Claim | undefined {
    const impressions: Impression[] = []
    for (let queue = this.#firstInTurn(); queue; queue = this.#firstInTurn()) {
      impressions.push(...queue.impressions.take(max - impressions.length))
      if (impressions.length === max) break
    }
    this.#waiting -= impressions.length
    this.#claimed += impressions.length
    return impressions.length > 0 ? { impressions } : undefined
  }

  #claimOneKey(max: number): Claim | undefined {
    const isTurnOfFull = this.#isTurnOfFull()
    const queue = this.#next()
    if (!queue) return undefined
    const impressions = queue.impressions.take(max)
    this.#waiting -= impressions.length
    this.#claimed += impressions.length
    if (isTurnOfFull) this.#endTurnOfFull(queue)
    else this.#endTurn(queue)
    this.#listIfFull(queue)
    return { impressions }
  }

  settle(_claim: Claim, impressions: readonly Impression[]): void {
    this.#claimed -= impressions.length
  }

  release(_claim: Claim, impressions: readonly Impression[]): void {
    this.#claimed -= impressions.length
    // At the end of the queue, so that an impression that the network fails on blocks no other.
    for (const impression of impressions) this.#enqueue(impression)
  }

  expire(beforeMs: number): readonly Impression[] {
    const expired: Impression[] = []
    for (const { impressions } of this.#queues.values()) {
      for (const impression of impressions.take(impressions.length)) {
        if (impression.trackedAtMs < beforeMs) expired.push(impression)
        else impressions.push(impression)
      }
    }
    this.#removeEmptyQueues()
    this.#waiting -= expired.length
    return expired
  }

  recover(): readonly Impression[] {
    return []
  }

  /** The queue that is served next: a full one, unless that would starve the others. */
  #next(): BatchQueue | undefined {
    return this.#isTurnOfFull() ? this.#firstFull() : this.#firstInTurn()
  }

  #isTurnOfFull(): boolean {
    return this.#fullInARow < FULL_IN_A_ROW && this.#firstFull() !== undefined
  }

  #firstFull(): BatchQueue | undefined {
    let queue = this.#full.first
    while (queue && queue.impressions.length < this.#maxBatch) {
      this.#full.shift()
      queue.isListedAsFull = false
      queue = this.#full.first
    }
    return queue
  }

  #firstInTurn(): BatchQueue | undefined {
    let queue = this.#turns.first
    while (queue && queue.impressions.length === 0) {
      this.#turns.shift()
      this.#queues.delete(queue.batchKey)
      queue = this.#turns.first
    }
    return queue
  }

  #endTurnOfFull(queue: BatchQueue): void {
    this.#fullInARow += 1
    this.#full.shift()
    queue.isListedAsFull = false
  }

  #endTurn(queue: BatchQueue): void {
    this.#fullInARow = 0
    this.#turns.shift()
    if (queue.impressions.length > 0) this.#turns.push(queue)
    else this.#queues.delete(queue.batchKey)
  }

  /** Batch keys are text that viewers typed: during an outage empty queues would pile up. */
  #removeEmptyQueues(): void {
    const isEmpty = (queue: BatchQueue) => queue.impressions.length === 0
    for (const queue of this.#turns.take(this.#turns.length)) {
      if (isEmpty(queue)) this.#queues.delete(queue.batchKey)
      else this.#turns.push(queue)
    }
    for (const queue of this.#full.take(this.#full.length)) {
      if (!isEmpty(queue)) this.#full.push(queue)
    }
  }

  #enqueue(impression: Impression): void {
    const { batchKey } = impression
    let queue = this.#queues.get(batchKey)
    if (queue) {
      queue.impressions.push(impression)
    } else {
      queue = { batchKey, impressions: new Queue([impression]), isListedAsFull: false }
      this.#queues.set(batchKey, queue)
      this.#turns.push(queue)
    }
    this.#listIfFull(queue)
    this.#waiting += 1
  }

  #listIfFull(queue: BatchQueue): void {
    if (queue.isListedAsFull || queue.impressions.length < this.#maxBatch) return
    queue.isListedAsFull = true
    this.#full.push(queue)
  }
}
