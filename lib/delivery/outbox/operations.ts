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
  /**
   * Called with the response of the step that did it, and for an append with its receipt. If others
   * took over before the response arrived, it `isLost` unless the step was certainly done, and the
   * receipt is `uncertain`.
   */
  readonly onDone: (response: ExchangeResponse, receipt: Receipt | undefined) => void
  /** For what need not be done if the store fails. */
  readonly onFailed?: (thrown: unknown) => void
}

/** A step takes operations on about so many records; the rest waits for the next one. */
const RECORDS_PER_STEP = 1_000

/**
 * Operations that wait for a step. Appends are last: they need memory of the store, and others free
 * some.
 */
export class Operations {
  readonly #appends = new Queue<Operation>()
  readonly #others = new Queue<Operation>()
  #hasClaim = false

  get length(): number {
    return this.#others.length + this.#appends.length
  }

  /** Whether there is more than appends. */
  get hasOthers(): boolean {
    return this.#others.length > 0
  }

  /** Whether one of them is a claim, which a call depends on. */
  get hasClaim(): boolean {
    return this.#hasClaim
  }

  push(operation: Operation): void {
    if (operation.append) this.#appends.push(operation)
    else this.#others.push(operation)
    this.#hasClaim ||= operation.claim !== undefined
  }

  /** Removes and returns those that one step does. */
  takeStep(withAppends: boolean): Operation[] {
    const taken: Operation[] = []
    let records = 0
    for (let next = this.#others.first; next; next = this.#others.first) {
      records += countRecords(next)
      if (records > RECORDS_PER_STEP && taken.length > 0) break
      taken.push(next)
      this.#others.shift()
    }
    this.#hasClaim &&= this.#others.length > 0
    const room = withAppends ? Math.max(0, RECORDS_PER_STEP - records) : 0
    return [...taken, ...this.#appends.take(room)]
  }

  /** Removes and returns those that `isSelected` selects. */
  remove(isSelected: (operation: Operation) => boolean): Operation[] {
    const all = [
      ...this.#others.take(this.#others.length),
      ...this.#appends.take(this.#appends.length),
    ]
    this.#hasClaim = false
    const removed: Operation[] = []
    for (const operation of all) {
      if (isSelected(operation)) removed.push(operation)
      else this.push(operation)
    }
    return removed
  }
}

/** At least 1. */
function countRecords({ settle = [], release = [], claim = [] }: Operation): number {
  return Math.max(1, settle.length + release.length + claim.length)
}
