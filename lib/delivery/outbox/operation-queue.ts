import { Queue } from '../queue.js'
import type { Receipt } from './outbox.js'
import type { Figures } from './shared-figures.js'
import type { ExchangeResponse, NewRecord, StoredRecord } from './store.js'

/** What one step of the store has to do, besides what belongs to the process as a whole. */
export interface Operation {
  readonly settle?: readonly string[]
  /** What the settled impressions end as, and how many: with this step, the figures count them. */
  readonly outcomes?: Figures
  readonly release?: readonly StoredRecord[]
  readonly claim?: readonly string[]
  readonly append?: NewRecord
  /** Whether it does not wait for others to share its step. */
  readonly isUrgent?: boolean
  /**
   * Called with the response of the step that did it, and for an append with its receipt. If others
   * took over before the response arrived, it `isLost` unless the step was certainly done, and the
   * receipt is `uncertain`.
   */
  readonly onDone: (response: ExchangeResponse, receipt: Receipt | undefined) => void
  /** Only if it need not be done when the store fails: it is called then instead. */
  readonly onFailed?: (thrown: unknown) => void
}

/** About how many records the operations of a step are on; the rest waits for the next one. */
const RECORDS_PER_STEP = 1_000

/**
 * The operations of steps to come. Appends are last: they need memory of the store, and other
 * operations free some.
 */
export class OperationQueue {
  readonly #appends = new Queue<Operation>()
  readonly #others = new Queue<Operation>()
  /** How many records the others are on. */
  #otherRecords = 0
  #hasUrgent = false

  get length(): number {
    return this.#others.length + this.#appends.length
  }

  /** Whether there is more than appends. */
  get hasOthers(): boolean {
    return this.#others.length > 0
  }

  /** Whether the next step has no reason to wait for more operations. */
  isReady(withAppends: boolean): boolean {
    const records = this.#otherRecords + (withAppends ? this.#appends.length : 0)
    return this.#hasUrgent || records >= RECORDS_PER_STEP
  }

  add(operation: Operation): void {
    if (operation.append) {
      this.#appends.push(operation)
    } else {
      this.#others.push(operation)
      this.#otherRecords += countRecords(operation)
      if (operation.isUrgent) this.#hasUrgent = true
    }
  }

  /** Removes and returns the operations of one step. */
  takeStep(withAppends: boolean): Operation[] {
    const taken: Operation[] = []
    let records = 0
    for (let next = this.#others.first; next; next = this.#others.first) {
      records += countRecords(next)
      if (records > RECORDS_PER_STEP && taken.length > 0) break
      taken.push(next)
      this.#others.shift()
      this.#otherRecords -= countRecords(next)
    }
    this.#hasUrgent &&= this.#others.length > 0
    const rest = Math.max(0, RECORDS_PER_STEP - records)
    return withAppends ? [...taken, ...this.#appends.take(rest)] : taken
  }

  /** Removes and returns all but the appends. */
  takeOthers(): Operation[] {
    this.#otherRecords = 0
    this.#hasUrgent = false
    return this.#others.take(this.#others.length)
  }

  /** Removes and returns the operations that `isSelected` selects. */
  remove(isSelected: (operation: Operation) => boolean): Operation[] {
    const removed: Operation[] = []
    for (const operation of [...this.takeOthers(), ...this.#appends.take(this.#appends.length)]) {
      if (isSelected(operation)) removed.push(operation)
      else this.add(operation)
    }
    return removed
  }
}

/** At least 1. */
function countRecords({ settle = [], release = [], claim = [] }: Operation): number {
  return Math.max(1, settle.length + release.length + claim.length)
}
