/** Time, injected so that tests can stop it and simulations can run whole days. */
export interface Clock {
  /**
   * Monotonic time, for everything that lasts: ages, deadlines, windows, backoff. In milliseconds
   * since the Unix epoch as the system's clock had it when the process started; setting that clock
   * later does not move it. Whether it goes on while the machine is suspended is up to the system.
   * On Linux it stands still: what waits is then sent later, and nothing expires by it.
   */
  now(): number
  /**
   * The system's clock: milliseconds since the Unix epoch. It jumps when it is set, so it is only
   * for dates: of HTTP, and of tokens that other processes read.
   */
  wallNow(): number
  /**
   * Runs `task` once after `delayMs`. The timer keeps the process alive only if asked to.
   *
   * @returns a function that cancels it
   */
  after(delayMs: number, task: () => void, keepsAlive?: 'keeps-alive'): () => void
  /** Runs `task` once, after the current turn of the event loop. */
  defer(task: () => void): void
}

/**
 * Resolves to `true` once `promise` has settled, and to `false` after `timeoutMs`. Keeps the process
 * alive until then.
 */
export function waitAtMost(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<unknown>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(timeoutMs, () => resolve(false), 'keeps-alive')
    const onSettled = () => {
      cancel()
      resolve(true)
    }
    promise.then(onSettled, onSettled)
  })
}

/** 24.8 days. Node runs a timer with a longer delay at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What `performance.now()` counts from. */
const originMs = Date.now() - performance.now()

export const systemClock: Clock = {
  now: () => originMs + performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, task, keepsAlive) {
    const timer = setTimeout(task, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS))
    if (!keepsAlive) timer.unref()
    return () => clearTimeout(timer)
  },
  defer: setImmediate,
}
