import type { QuotaWindow } from '../networks/network.js'
import { type Remaining, readRateLimits } from './rate-limit-headers.js'
import type { Answer } from './verdict.js'

/** While no more than this share of a quota is spent, there is budget to spare. */
const SPARE_SHARE = 0.1

/** Calls that are not full keep a pace at which only this share of what is left is spent. */
const PACED_SHARE = 0.5

/** How many of the earlier calls are looked at to find a pace; more would change little. */
const PACE_SAMPLES = 64

/** A call that left, in each window; hand it back when the call has ended. */
export type Spending = readonly { readonly window: Window; readonly call: number }[]

/**
 * A quota and when its last calls took place. Any span of `windowMs` holds at most `limit` calls,
 * so that it does not matter whether the network's own window is fixed, sliding, or reset at
 * midnight.
 */
class Window {
  limit: number
  readonly windowMs: number
  /** Oldest first, from `#head` on. A call counts from its end: the network saw it before that. */
  #times: number[] = []
  #head = 0
  /** Calls that were cut off the front of `#times`. */
  #forgotten = 0

  constructor({ limit, windowMs }: QuotaWindow) {
    this.limit = limit
    this.windowMs = windowMs
  }

  left(nowMs: number): number {
    for (let time = this.#times[this.#head]; time !== undefined; time = this.#times[this.#head]) {
      if (time + this.windowMs > nowMs) break
      this.#head += 1
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#head)
      this.#forgotten += this.#head
      this.#head = 0
    }
    return this.limit - (this.#times.length - this.#head)
  }

  /** Milliseconds until a call may leave. */
  waitMs(nowMs: number): number {
    const left = this.left(nowMs)
    if (left > 0) return 0
    // Past the limit (it was lowered) more than one call has to come back first.
    const time = this.#times[this.#head - left]
    return time === undefined ? this.windowMs : time + this.windowMs - nowMs
  }

  /** The fastest steady pace, in milliseconds a call, that never runs dry before calls come back. */
  paceMs(nowMs: number): number {
    const left = this.left(nowMs)
    const spent = this.limit - left
    if (spent <= this.limit * SPARE_SHARE) return 0
    let paceMs = this.windowMs / this.limit
    for (let k = 0; k < spent; k += Math.ceil(spent / PACE_SAMPLES)) {
      const backInMs = (this.#times[this.#head + k] ?? nowMs) + this.windowMs - nowMs
      paceMs = Math.max(paceMs, backInMs / Math.max(1, left + k))
    }
    return paceMs
  }

  spend(nowMs: number): number {
    this.#times.push(nowMs)
    return this.#forgotten + this.#times.length - 1
  }

  settle(call: number, nowMs: number): void {
    const place = call - this.#forgotten
    if (place >= this.#head) this.#times[place] = nowMs
  }
}

/**
 * How many calls a network allows: its published quotas, corrected by what its answers say. Other
 * programs may use the same key, so that an answer's figure holds where it is the lower one.
 */
export class Budget {
  #windows: readonly Window[]
  #remaining: (Remaining & { calls: number })[] = []
  #lastPacedMs = Number.NEGATIVE_INFINITY

  /** @param windows none: nothing is known of any quota, and a 429 alone tells */
  constructor(windows: readonly QuotaWindow[]) {
    this.#windows = windows.map((window) => new Window(window))
  }

  /** Milliseconds until any call may leave. */
  waitMs(nowMs: number): number {
    let waitMs = 0
    for (const window of this.#windows) waitMs = Math.max(waitMs, window.waitMs(nowMs))
    for (const { calls, untilMs } of this.#remaining) {
      if (calls <= 0) waitMs = Math.max(waitMs, untilMs - nowMs)
    }
    return waitMs
  }

  /**
   * Milliseconds until a call may leave that could still take more impressions. None with budget
   * to spare; else calls are spread over what is left of each window.
   *
   * @param isUrgent whether the impressions have waited for long: then all that is left is spread
   */
  pacedWaitMs(nowMs: number, isUrgent: boolean): number {
    let paceMs = 0
    for (const window of this.#windows) paceMs = Math.max(paceMs, window.paceMs(nowMs))
    for (const { calls, untilMs, limit } of this.#remaining) {
      if (limit !== undefined && limit - calls <= limit * SPARE_SHARE) continue
      paceMs = Math.max(paceMs, (untilMs - nowMs) / Math.max(1, calls))
    }
    const share = isUrgent ? 1 : PACED_SHARE
    return Math.max(0, this.#lastPacedMs + paceMs / share - nowMs)
  }

  /**
   * A call leaves.
   *
   * @param isPaced whether it kept the pace; a full one need not
   */
  spend(nowMs: number, isPaced: boolean): Spending {
    if (isPaced) this.#lastPacedMs = nowMs
    for (const remaining of this.#remaining) remaining.calls -= 1
    return this.#windows.map((window) => ({ window, call: window.spend(nowMs) }))
  }

  /** The call has ended, so that the network has seen it at the latest now. */
  settle(spending: Spending, nowMs: number): void {
    for (const { window, call } of spending) window.settle(call, nowMs)
  }

  /** @param inFlight calls that the network may not have counted yet when it wrote the answer */
  observe(answer: Answer, inFlight: number): void {
    if (this.#windows.length === 0) return
    const { windows, remaining } = readRateLimits(answer)
    if (windows.length > 0) this.#adopt(windows)
    if (remaining.length > 0) {
      this.#remaining = remaining.map((told) => ({ ...told, calls: told.calls - inFlight }))
    }
    this.#remaining = this.#remaining.filter(({ untilMs }) => untilMs > answer.atMs)
  }

  /** The network's policy takes the place of the published one; calls already made still count. */
  #adopt(policy: readonly QuotaWindow[]): void {
    this.#windows = policy.map((quota) => {
      const known = this.#windows.find(({ windowMs }) => windowMs === quota.windowMs)
      if (!known) return new Window(quota)
      known.limit = quota.limit
      return known
    })
  }
}
