import { Queue } from '../queue.js'
import type { Receipt } from './outbox.js'
import type { ExchangeResponse, NewRecord, StoredRecord } from './store.js'

/** What one step of the store has to do, besides what belongs to the process as a whole. */
export interface Operation {
  readonly settle?: readonly string[]
  readonly release?: readonly StoredRecord[]
  readonly claim?: readonly string[]
  readonly append?: NewRecord
  /**
   * Called with the response of the step that did it, and for an append with its receipt. If others
   * took over before the response arrived, it `isLost` unless the step was certainly done, and the
   * receipt is `uncertain`.
   */
  readonly onDone: (response: ExchangeResponse, receipt: Receipt | undefined) => void
}

/**
 * The operations of steps to come. Appends are last: they need memory of the store, and other
 * operations free some.
 */
export class OperationQueue {
  readonly #appends = new Queue<Operation>()
  readonly #others = new Queue<Operation>()
  /** Whether one of them is a claim, which a call depends on. */
  #hasClaim = false

  get length(): number {
    return this.#others.length + this.#appends.length
  }

  get hasClaim(): boolean {
    return this.#hasClaim
  }

  /** Whether there is more than appends. */
  get hasOthers(): boolean {
    return this.#others.length > 0
  }

  add(operation: Operation): void {
    if (operation.claim) this.#hasClaim = true
    if (operation.append) this.#appends.push(operation)
    else this.#others.push(operation)
  }

  /** Removes and returns up to `max` operations. */
  take(max: number, withAppends: boolean): Operation[] {
    const others = this.#others.take(max)
    this.#hasClaim &&= this.#others.length > 0
    return withAppends ? [...others, ...this.#appends.take(max - others.length)] : others
  }

  /** Removes and returns all but the appends. */
  takeOthers(): Operation[] {
    return this.take(this.#others.length, false)
  }

  /** Removes the appends that `isSelected` selects, and returns their ids. */
  removeAppends(isSelected: (id: string) => boolean): string[] {
    const removed: string[] = []
    for (const operation of this.#appends.take(this.#appends.length)) {
      const id = operation.append?.id
      if (id !== undefined && isSelected(id)) removed.push(id)
      else this.#appends.push(operation)
    }
    return removed
  }
}
