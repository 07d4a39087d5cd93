import type { QuotaWindow } from '../../networks/network.js'

/** While no more than this share of a window is spent, there is budget to spare. */
export const SPARE_SHARE = 0.05

/** Calls are remembered to the thousandth part of a window or finer, however many they are. */
const RUNS_PER_WINDOW = 4_096

/** How many runs are looked at to find a pace; more would change little. */
const PACE_SAMPLES = 32

/** Calls that ended within moments of each other. */
interface Run {
  readonly fromMs: number
  /** When the last of them ended: all of them count from here. */
  endMs: number
  /** Calls that ended before this run. */
  readonly before: number
}

/**
 * A quota and when its last calls took place. Any span of `windowMs` holds at most `limit` calls,
 * so that it does not matter whether the network's own window is fixed, sliding, or reset at
 * midnight. A call counts from its end: the network has seen it before that.
 */
export class SlidingWindow {
  readonly windowMs: number
  /** `Infinity` once the network names the window no more: it may come back. */
  limit: number
  /** Oldest first, from `#head` on. */
  #runs: Run[]
  #head = 0
  #ended: number
  #others = 0
  #othersUntilMs = 0
  #shortUntilMs = 0

  /** @param like a window whose calls are this one's as well */
  constructor({ limit, windowMs }: QuotaWindow, like?: SlidingWindow) {
    this.limit = limit
    this.windowMs = windowMs
    this.#runs = like ? like.#runs.slice(like.#head).map((run) => ({ ...run })) : []
    this.#ended = like ? like.#ended : 0
  }

  /** Calls that may leave; below zero if the limit was lowered. */
  left(nowMs: number, inFlight: number): number {
    for (let run = this.#runs[this.#head]; run !== undefined; run = this.#runs[this.#head]) {
      if (run.endMs + this.windowMs > nowMs) break
      this.#head += 1
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head)
      this.#head = 0
    }
    return this.limit - inFlight - (this.#ended - this.#forgotten)
  }

  /** Milliseconds until a call may leave; `Infinity`: not before one that is under way ends. */
  waitMs(nowMs: number, inFlight: number): number {
    const left = this.left(nowMs, inFlight)
    if (left > 0) return 0
    this.#shortUntilMs = nowMs + this.windowMs
    const goal = this.#forgotten + 1 - left
    for (let place = this.#head; place < this.#runs.length; place += 1) {
      const cameBack = this.#runs[place + 1]?.before ?? this.#ended
      if (cameBack >= goal) return (this.#runs[place]?.endMs ?? nowMs) + this.windowMs - nowMs
    }
    return Number.POSITIVE_INFINITY
  }

  /**
   * How much room full batches leave for calls that are not full, 0 to 1: all of it while they need
   * no more than half of the window, and none when they need it whole.
   */
  partialBatchShare(callsPerMs: number): number {
    return Math.max(0.01, Math.min(1, 2 - (2 * callsPerMs * this.windowMs) / this.limit))
  }

  /**
   * The fastest steady pace, in milliseconds a call, that never runs dry before calls come back; 0
   * with budget to spare.
   *
   * @param room see `roomBeside`
   * @param share how much of the window's length is looked ahead
   */
  paceMs(nowMs: number, inFlight: number, room: number, share: number): number {
    if (this.limit === Number.POSITIVE_INFINITY) return 0
    const others = nowMs < this.#othersUntilMs ? this.#others : 0
    const left = this.left(nowMs, inFlight) - others
    if (this.limit - left <= this.limit * SPARE_SHARE * room) return 0
    const aheadMs = this.windowMs * share
    let paceMs = 0
    let until = this.limit - others - inFlight
    const stride = Math.ceil((this.#runs.length - this.#head) / PACE_SAMPLES)
    for (let place = this.#head; place < this.#runs.length; place += stride) {
      const run = this.#runs[place]
      if (!run) break
      const untilThen = left + run.before - this.#forgotten
      const backInMs = run.endMs + this.windowMs - nowMs
      if (backInMs > aheadMs) {
        until = untilThen
        break
      }
      paceMs = Math.max(paceMs, backInMs / Math.max(1, untilThen))
    }
    return Math.max(paceMs, aheadMs / Math.max(1, until))
  }

  /** Whether it has run dry while impressions waited, no longer ago than its own length. */
  isShort(nowMs: number): boolean {
    return nowMs < this.#shortUntilMs
  }

  /** A call has ended. */
  end(nowMs: number): void {
    const last = this.#runs.at(-1)
    if (last && nowMs - last.fromMs < this.windowMs / RUNS_PER_WINDOW) last.endMs = nowMs
    else this.#runs.push({ fromMs: nowMs, endMs: nowMs, before: this.#ended })
    this.#ended += 1
  }

  /**
   * An answer told what is left.
   *
   * @returns whether others have spent of this window
   */
  reportRemaining(calls: number, nowMs: number, inFlight: number): boolean {
    this.#others = Math.max(0, this.left(nowMs, inFlight) - calls)
    this.#othersUntilMs = nowMs + this.windowMs
    return this.#others > 0
  }

  /** Others have left nothing of it. */
  markExhausted(nowMs: number): void {
    this.#shortUntilMs = nowMs + this.windowMs
  }

  get #forgotten(): number {
    return this.#runs[this.#head]?.before ?? this.#ended
  }
}
