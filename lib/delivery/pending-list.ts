import type { Clock } from '../clock.js'
import type { Impression } from '../impression.js'
import { Queue } from './queue.js'
import { SequenceMap } from './sequence-map.js'

/** A flush in progress. */
interface WaitingFlush {
  /** It waits for every impression up to this sequence. */
  readonly upTo: number
  /** `undefined` once its time has run out. */
  onDone: (() => void) | undefined
}

/** So many flushes end in one turn of the event loop: each wakes up code that waits for it. */
const FLUSHES_PER_TURN = 1_000

/** One network's pending impressions, in the order in which they were accepted. */
export class PendingList {
  readonly #clock: Clock
  readonly #impressions = new SequenceMap<Impression>()
  readonly #flushes = new Queue<WaitingFlush>()
  /** The sequence of the last impression. */
  #sequence = 0
  /** No impression up to this sequence is pending any more. */
  #endedUpTo = 0
  #takenUpTo = 0
  #flushesEndedThisTurn = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Gives the impression its sequence. */
  add(impression: Impression): void {
    const sequence = this.#sequence + 1
    this.#impressions.add(sequence, impression)
    // Only now, so that nothing has happened if the stack overflows in the call above.
    this.#sequence = sequence
    impression.sequence = sequence
  }

  /** The impressions that were added since the last call and are still pending. */
  takeAdded(): Impression[] {
    const added: Impression[] = []
    while (this.#takenUpTo < this.#sequence) {
      this.#takenUpTo += 1
      const impression = this.#impressions.get(this.#takenUpTo)
      if (impression) added.push(impression)
    }
    return added
  }

  /** The impression has ended. */
  remove({ sequence }: Impression): void {
    this.#impressions.delete(sequence)
    while (this.#endedUpTo < this.#sequence && !this.#impressions.get(this.#endedUpTo + 1)) {
      this.#endedUpTo += 1
    }
    this.#endFlushes()
  }

  /**
   * Resolves to `true` when everything that is pending now has ended, and to `false` after
   * `timeoutMs`. Keeps the process alive until then.
   */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.#impressions.size === 0) return true
    return await new Promise<boolean>((resolve) => {
      const onTimeout = () => {
        flush.onDone = undefined
        this.#endFlushes()
        resolve(false)
      }
      const cancel = this.#clock.after(timeoutMs, onTimeout, 'keeps-alive')
      const onDone = () => {
        cancel()
        resolve(true)
      }
      const flush: WaitingFlush = { upTo: this.#sequence, onDone }
      this.#flushes.push(flush)
    })
  }

  /** The one that was accepted first. */
  get oldest(): Impression | undefined {
    return this.#impressions.get(this.#endedUpTo + 1)
  }

  /** A copy. */
  toArray(): Impression[] {
    return this.#impressions.toArray()
  }

  /** They are in the order of their sequences: only the first ones can be done. */
  #endFlushes(): void {
    let first = this.#flushes.first
    while (first && (first.onDone === undefined || first.upTo <= this.#endedUpTo)) {
      if (this.#flushesEndedThisTurn >= FLUSHES_PER_TURN) return
      this.#countEndedFlush()
      this.#flushes.shift()
      first.onDone?.()
      first = this.#flushes.first
    }
  }

  #countEndedFlush(): void {
    if (this.#flushesEndedThisTurn === 0) {
      this.#clock.defer(() => {
        this.#flushesEndedThisTurn = 0
        this.#endFlushes()
      })
    }
    this.#flushesEndedThisTurn += 1
  }
}
