import type { Clock } from '../clock.js'
import type { Impression } from '../impression.js'

/** A flush in progress. */
interface Flush {
  /** The sequence of the last impression that it waits for. */
  readonly upTo: number
  remaining: number
  readonly resolve: () => void
}

/** The calls of `flush()` that wait for pending impressions to end. */
export class Flushes {
  readonly #flushes = new Set<Flush>()

  /**
   * Resolves when all that is pending now has its outcome, and keeps the process alive until then.
   *
   * @param upTo the sequence of the last pending impression
   * @param longestMs how long a pending impression may still take
   */
  async wait(pending: number, upTo: number, clock: Clock, longestMs: number): Promise<void> {
    if (pending === 0) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(longestMs, () => {}, 'keeps-alive')
      const end = () => {
        cancel()
        resolve()
      }
      this.#flushes.add({ upTo, remaining: pending, resolve: end })
    })
  }

  onEnded({ sequence }: Impression): void {
    for (const flush of this.#flushes) {
      if (sequence > flush.upTo) continue
      flush.remaining -= 1
      if (flush.remaining > 0) continue
      this.#flushes.delete(flush)
      flush.resolve()
    }
  }
}
