/** Time, injected so that tests can hold it still and simulations can run whole days. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /**
   * Runs `task` once after `delayMs`, and meanwhile keeps the process alive only if asked to.
   *
   * @returns what cancels it
   */
  after(delayMs: number, task: () => void, keepsAlive?: 'keeps-alive'): () => void
  /** Runs `task` once what the event loop does now is done. */
  defer(task: () => void): void
}

/** Resolves once `promise` has, or when the time is up; keeps the process alive until then. */
export function waitAtMost(clock: Clock, timeMs: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(timeMs, resolve, 'keeps-alive')
    void promise.then(() => {
      cancel()
      resolve()
    })
  })
}

/** A Node timer holds 2^31 - 1 ms (24.8 days) at most: past that it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, task, keepsAlive) {
    const timer = setTimeout(task, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS))
    if (!keepsAlive) timer.unref()
    return () => clearTimeout(timer)
  },
  defer: setImmediate,
}
/**
 * The time, going on where it was last asked for when the system's clock is set back: what passed
 * between is not known, and is waited for once more.
 */
export class MonotonicTime {
  #latestMs = Number.NEGATIVE_INFINITY
  #setBackMs = 0

  /** @param nowMs what the system's clock says, in milliseconds since the Unix epoch */
  advance(nowMs: number): number {
    this.#setBackMs = Math.max(this.#setBackMs, this.#latestMs - nowMs)
    this.#latestMs = nowMs + this.#setBackMs
    return this.#latestMs
  }
}
