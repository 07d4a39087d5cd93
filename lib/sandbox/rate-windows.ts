/** One rate limit of a key. */
export interface RateWindow {
  /** Most calls in the window. */
  readonly limit: number
  /** The length of the window, in milliseconds. */
  readonly windowMs: number
}

/** The current state of one window. */
export interface RateWindowState extends RateWindow {
  /** How many calls the window still allows. */
  readonly remaining: number
  /** When calls become available again, in ms since the epoch. */
  readonly resetsAt: number
}

/**
 * When a window begins.
 *
 * - `fixed`: with the first call after the previous window ended
 * - `sliding`: always `windowMs` before now; calls become available again one by one
 * - `midnight`: at multiples of its length since the epoch, so a day begins at midnight UTC
 */
export type RateWindowKind = 'fixed' | 'sliding' | 'midnight'

interface WindowMeter {
  readState(nowMs: number): RateWindowState
  spend(calls: number, nowMs: number): void
}

/** The windows of one API key. A call is allowed if every window has calls left. */
export class RateWindows {
  #meters: readonly WindowMeter[] = []
  readonly #windows: readonly RateWindow[]
  readonly #kind: RateWindowKind
  readonly #now: () => number

  constructor(windows: readonly RateWindow[], kind: RateWindowKind, now: () => number) {
    this.#windows = windows
    this.#kind = kind
    this.#now = now
    this.reset()
  }

  /** Makes every call available again. */
  reset(): void {
    const kind = this.#kind
    this.#meters = this.#windows.map((window) =>
      kind === 'sliding' ? createSlidingMeter(window) : createFixedMeter(window, kind),
    )
  }

  states(): RateWindowState[] {
    const nowMs = this.#now()
    return this.#meters.map((meter) => meter.readState(nowMs))
  }

  /** Uses up to `calls` calls. Returns how many of them the windows allowed. */
  spend(calls: number): number {
    const nowMs = this.#now()
    const allowed = Math.min(
      calls,
      ...this.#meters.map((meter) => meter.readState(nowMs).remaining),
    )
    for (const meter of this.#meters) meter.spend(allowed, nowMs)
    return allowed
  }
}

/**
 * The window with the fewest calls left. Of several with the same number, such as several exhausted
 * ones, the one that resets last.
 */
export function findMostRestrictive(
  states: readonly RateWindowState[],
): RateWindowState | undefined {
  return [...states].sort((a, b) => a.remaining - b.remaining || b.resetsAt - a.resetsAt)[0]
}

function createFixedMeter(window: RateWindow, kind: 'fixed' | 'midnight'): WindowMeter {
  const { limit, windowMs } = window
  let startedAtMs = Number.NEGATIVE_INFINITY
  let spent = 0
  const computeStart = (nowMs: number) =>
    kind === 'midnight' ? Math.floor(nowMs / windowMs) * windowMs : nowMs
  const hasEnded = (nowMs: number) => nowMs >= startedAtMs + windowMs
  return {
    readState(nowMs) {
      const remaining = hasEnded(nowMs) ? limit : limit - spent
      const startMs = hasEnded(nowMs) ? computeStart(nowMs) : startedAtMs
      return { limit, windowMs, remaining, resetsAt: startMs + windowMs }
    },
    spend(calls, nowMs) {
      if (calls === 0) return
      if (hasEnded(nowMs)) {
        startedAtMs = computeStart(nowMs)
        spent = 0
      }
      spent += calls
    },
  }
}

function createSlidingMeter(window: RateWindow): WindowMeter {
  const { limit, windowMs } = window
  // Calls of the same millisecond, oldest first. Each entry has at least one call, so there are at
  // most `limit` entries.
  let entries: { atMs: number; calls: number }[] = []
  let spent = 0
  const removeExpired = (nowMs: number) => {
    const kept = entries.findIndex(({ atMs }) => atMs > nowMs - windowMs)
    if (kept === 0) return
    const expired = kept === -1 ? entries : entries.slice(0, kept)
    for (const { calls } of expired) spent -= calls
    entries = kept === -1 ? [] : entries.slice(kept)
  }
  return {
    readState(nowMs) {
      removeExpired(nowMs)
      const resetsAt = (entries[0]?.atMs ?? nowMs) + windowMs
      return { limit, windowMs, remaining: limit - spent, resetsAt }
    },
    spend(calls, nowMs) {
      if (calls === 0) return
      const last = entries.at(-1)
      if (last?.atMs === nowMs) last.calls += calls
      else entries.push({ atMs: nowMs, calls })
      spent += calls
    },
  }
}
