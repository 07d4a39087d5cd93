import type { QuotaWindow } from '../../networks/network.js'
import { Queue } from '../queue.js'

/** While no more than this share of a window is spent, there is quota to spare. */
export const SPARE_SHARE = 0.05

/** Calls are remembered to this fraction of a window or finer, however many they are. */
const RUNS_PER_WINDOW = 4_096

/** How many runs are examined to find a pace; more would change little. */
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
 * A quota and when its recent calls ended. Any span of `windowMs` holds at most `limit` calls, so
 * it does not matter whether the network's own window is fixed, sliding, or reset at midnight. A
 * call counts from its end: the network has seen it before that.
 */
export class SlidingWindow {
  readonly windowMs: number
  /** `Infinity` when the network no longer names the window: it may come back. */
  limit: number
  readonly #runs: Queue<Run>
  #ended = 0
  #spentByOthers = 0
  #spentByOthersUntilMs = 0
  #shortUntilMs = 0

  constructor({ limit, windowMs }: QuotaWindow) {
    this.limit = limit
    this.windowMs = windowMs
    this.#runs = new Queue()
  }

  /** A window of another length with the same calls. */
  withQuota(quota: QuotaWindow): SlidingWindow {
    const window = new SlidingWindow(quota)
    for (const run of this.#runs.toArray()) window.#runs.push({ ...run })
    window.#ended = this.#ended
    return window
  }

  /** Calls that may be sent; negative if the limit was lowered. */
  remaining(nowMs: number, inFlight: number): number {
    for (let run = this.#runs.first; run !== undefined; run = this.#runs.first) {
      if (run.endMs + this.windowMs > nowMs) break
      this.#runs.shift()
    }
    return this.limit - inFlight - (this.#ended - this.#expired)
  }

  /** Milliseconds until a call may be sent; `Infinity`: not before a call in flight ends. */
  waitMs(nowMs: number, inFlight: number): number {
    const remaining = this.remaining(nowMs, inFlight)
    if (remaining > 0) return 0
    this.markExhausted(nowMs)
    const goal = this.#expired + 1 - remaining
    for (let index = 0; index < this.#runs.length; index += 1) {
      const expiredByThen = this.#runs.at(index + 1)?.before ?? this.#ended
      if (expiredByThen >= goal) {
        return (this.#runs.at(index)?.endMs ?? nowMs) + this.windowMs - nowMs
      }
    }
    return Number.POSITIVE_INFINITY
  }

  /**
   * The share of the window that full batches leave to partial ones, 0.01 to 1: all of it while
   * full batches need no more than half of the window, and almost none when they need all of it.
   */
  partialBatchShare(fullCallsPerMs: number): number {
    return Math.max(0.01, Math.min(1, 2 - (2 * fullCallsPerMs * this.windowMs) / this.limit))
  }

  /**
   * The shortest steady interval between calls, in milliseconds, at which the window is never
   * exhausted before calls expire; 0 with quota to spare.
   *
   * @param spareShare how much of what lone processes have to spare is ours
   * @param horizonShare how much of the window's length to plan for
   * @param assumedOthers what others may have spent, where no answer says so
   */
  intervalMs(
    nowMs: number,
    inFlight: number,
    spareShare: number,
    horizonShare: number,
    assumedOthers = 0,
  ): number {
    if (this.limit === Number.POSITIVE_INFINITY) return 0
    const others = this.spentByOthers(nowMs) ?? 0
    const remaining = this.remaining(nowMs, inFlight) - others
    const spent = this.limit - this.remaining(nowMs, inFlight)
    const spentInAll = spent + (this.spentByOthers(nowMs) ?? assumedOthers)
    if (spentInAll <= this.limit * SPARE_SHARE * spareShare) return 0
    const horizonMs = this.windowMs * horizonShare
    let intervalMs = 0
    let callsInHorizon = this.limit - others - inFlight
    const stride = Math.ceil(this.#runs.length / PACE_SAMPLES)
    for (let index = 0; index < this.#runs.length; index += stride) {
      const run = this.#runs.at(index)
      if (!run) break
      const callsUntilThen = remaining + run.before - this.#expired
      const expiresInMs = run.endMs + this.windowMs - nowMs
      if (expiresInMs > horizonMs) {
        callsInHorizon = callsUntilThen
        break
      }
      intervalMs = Math.max(intervalMs, expiresInMs / Math.max(1, callsUntilThen))
    }
    return Math.max(intervalMs, horizonMs / Math.max(1, callsInHorizon))
  }

  /** Whether it was exhausted while impressions waited, no longer ago than its own length. */
  isShort(nowMs: number): boolean {
    return nowMs < this.#shortUntilMs
  }

  /** Nothing of it is left, and impressions wait. */
  markExhausted(nowMs: number): void {
    this.#shortUntilMs = nowMs + this.windowMs
  }

  /** A call has ended, or ends at the latest then. */
  onCallEnd(atMs: number): void {
    const last = this.#runs.last
    // Runs are in order: a call that ends before an earlier one must have ended counts as long.
    const endMs = Math.max(atMs, last?.endMs ?? atMs)
    if (last && endMs - last.fromMs < this.windowMs / RUNS_PER_WINDOW) last.endMs = endMs
    else this.#runs.push({ fromMs: endMs, endMs, before: this.#ended })
    this.#ended += 1
  }

  /**
   * An answer says how many calls are left until a reset.
   *
   * @returns whether others have spent of this window
   */
  reportRemaining(calls: number, nowMs: number, inFlight: number, resetMs: number): boolean {
    this.#spentByOthers = Math.max(0, this.remaining(nowMs, inFlight) - calls)
    this.#spentByOthersUntilMs = Math.min(resetMs, nowMs + this.windowMs)
    return this.#spentByOthers > 0
  }

  /** Calls that others have spent of it; `undefined` if no answer has said so since its reset. */
  spentByOthers(nowMs: number): number | undefined {
    return nowMs < this.#spentByOthersUntilMs ? this.#spentByOthers : undefined
  }

  /** Ended calls that no longer count. */
  get #expired(): number {
    return this.#runs.first?.before ?? this.#ended
  }
}
