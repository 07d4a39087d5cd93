/** At most `limit` calls in `windowMs`. */
export interface RateWindow {
  readonly limit: number
  readonly windowMs: number
}

/** One window as it stands. */
export interface RateWindowState extends RateWindow {
  readonly remaining: number
  /** When the window gives calls back, in ms since the epoch. */
  readonly resetsAt: number
}

/**
 * When a window begins.
 *
 * - `fixed`: with the first call after the last window ended
 * - `sliding`: it always reaches back from now, and gives calls back one by one
 * - `midnight`: at multiples of its length since the epoch, so that a day's begins at midnight UTC
 */
export type RateWindowKind = 'fixed' | 'sliding' | 'midnight'

interface Meter {
  read(now: number): RateWindowState
  spend(calls: number, now: number): void
}

/** The windows of one API key: a call goes through when every one of them has room for it. */
export class RateWindows {
  #meters: readonly Meter[] = []
  readonly #windows: readonly RateWindow[]
  readonly #kind: RateWindowKind
  readonly #now: () => number

  constructor(windows: readonly RateWindow[], kind: RateWindowKind, now: () => number) {
    this.#windows = windows
    this.#kind = kind
    this.#now = now
    this.reset()
  }

  /** Gives every call back. */
  reset(): void {
    const kind = this.#kind
    this.#meters = this.#windows.map((window) =>
      kind === 'sliding' ? slidingMeter(window) : startingMeter(window, kind),
    )
  }

  states(): RateWindowState[] {
    const now = this.#now()
    return this.#meters.map((meter) => meter.read(now))
  }

  /** Spends up to `calls` calls, and returns how many of them the windows had room for. */
  spend(calls: number): number {
    const now = this.#now()
    const room = Math.min(calls, ...this.#meters.map((meter) => meter.read(now).remaining))
    for (const meter of this.#meters) meter.spend(room, now)
    return room
  }
}

/**
 * The window that holds a caller up the most: the fewest calls left; among equals, as when several
 * are exhausted, the one that resets last.
 */
export function mostRestrictive(states: readonly RateWindowState[]): RateWindowState | undefined {
  return [...states].sort((a, b) => a.remaining - b.remaining || b.resetsAt - a.resetsAt)[0]
}

function startingMeter(window: RateWindow, kind: 'fixed' | 'midnight'): Meter {
  const { limit, windowMs } = window
  let startedAt = Number.NEGATIVE_INFINITY
  let spent = 0
  const start = (now: number) => (kind === 'midnight' ? Math.floor(now / windowMs) * windowMs : now)
  const over = (now: number) => now >= startedAt + windowMs
  return {
    read(now) {
      if (over(now)) return { limit, windowMs, remaining: limit, resetsAt: start(now) + windowMs }
      return { limit, windowMs, remaining: limit - spent, resetsAt: startedAt + windowMs }
    },
    spend(calls, now) {
      if (calls === 0) return
      if (over(now)) {
        startedAt = start(now)
        spent = 0
      }
      spent += calls
    },
  }
}

function slidingMeter(window: RateWindow): Meter {
  const { limit, windowMs } = window
  // Runs of calls at the same ms, oldest first: at most `limit` of them, however they came.
  let runs: { at: number; calls: number }[] = []
  let spent = 0
  const forget = (now: number) => {
    const kept = runs.findIndex((run) => run.at > now - windowMs)
    if (kept === 0) return
    const gone = kept === -1 ? runs : runs.slice(0, kept)
    for (const run of gone) spent -= run.calls
    runs = kept === -1 ? [] : runs.slice(kept)
  }
  return {
    read(now) {
      forget(now)
      const resetsAt = (runs[0]?.at ?? now) + windowMs
      return { limit, windowMs, remaining: limit - spent, resetsAt }
    },
    spend(calls, now) {
      if (calls === 0) return
      const last = runs.at(-1)
      if (last?.at === now) last.calls += calls
      else runs.push({ at: now, calls })
      spent += calls
    },
  }
}
