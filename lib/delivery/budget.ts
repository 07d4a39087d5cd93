import type { QuotaWindow } from '../networks/network.js'
import type { Answer } from './verdict.js'

/** What an answer says is left of a quota. */
interface Remaining {
  calls: number
  readonly untilMs: number
}

/** Windows that allow more calls than this are held to it: it is beyond what one process sends. */
const MAX_TRACKED_CALLS = 1_000_000

/** A quota and when its last calls left: at most `limit` of them in any `windowMs`. */
class Window {
  readonly limit: number
  readonly windowMs: number
  /** The last `limit` calls' times; the next one takes the oldest one's place. */
  readonly #calls: number[] = []
  #next = 0

  constructor({ limit, windowMs }: QuotaWindow) {
    this.limit = Math.min(limit, MAX_TRACKED_CALLS)
    this.windowMs = windowMs
  }

  waitMs(nowMs: number): number {
    const oldest = this.#calls[this.#next]
    return oldest === undefined ? 0 : Math.max(0, oldest + this.windowMs - nowMs)
  }

  spend(nowMs: number): void {
    this.#calls[this.#next] = nowMs
    this.#next = (this.#next + 1) % this.limit
  }
}

/**
 * How many calls a network allows: its published quotas, corrected by what its answers say. Any
 * span of a window's length holds at most its limit, so that it does not matter whether the
 * network's own windows are fixed, sliding or reset at midnight.
 */
export class Budget {
  readonly #windows: readonly Window[]
  #remaining: Remaining[] = []

  /** @param windows none: a 429 alone tells */
  constructor(windows: readonly QuotaWindow[]) {
    this.#windows = windows.map((window) => new Window(window))
  }

  /** Milliseconds until a call may leave. */
  waitMs(nowMs: number): number {
    let waitMs = 0
    for (const window of this.#windows) waitMs = Math.max(waitMs, window.waitMs(nowMs))
    for (const { calls, untilMs } of this.#remaining) {
      if (calls <= 0) waitMs = Math.max(waitMs, untilMs - nowMs)
    }
    return waitMs
  }

  /** A call leaves. */
  spend(nowMs: number): void {
    for (const window of this.#windows) window.spend(nowMs)
    for (const remaining of this.#remaining) remaining.calls -= 1
  }

  /** @param inFlight calls that the network may not have counted yet when it wrote the answer */
  observe(answer: Answer, inFlight: number): void {
    if (this.#windows.length === 0) return
    const remaining = readRemaining(answer)
    if (remaining) this.#remaining = [{ ...remaining, calls: remaining.calls - inFlight }]
  }
}

const MAX_RESET_SECONDS = 31 * 86_400

/** `RateLimit-Remaining` and `-Reset` (`closient.txt`); `undefined` where either makes no sense. */
function readRemaining({ headers, atMs }: Answer): Remaining | undefined {
  const calls = count(headers['ratelimit-remaining'])
  const seconds = count(headers['ratelimit-reset'])
  if (calls === undefined || seconds === undefined || seconds > MAX_RESET_SECONDS) return undefined
  return { calls, untilMs: atMs + seconds * 1_000 }
}

function count(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
