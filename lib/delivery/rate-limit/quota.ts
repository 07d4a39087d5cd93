import type { QuotaWindow } from '../../networks/network.js'
import type { Answer } from '../../networks/verdict.js'
import type { QuotaLeft } from '../../observability/health.js'
import { ProcessEstimate } from './process-estimate.js'
import { QuotaWindows } from './quota-windows.js'
import { type Remaining, readRateLimits } from './rate-limit-headers.js'
import { SendingRate } from './sending-rate.js'
import { type SlidingWindow, SPARE_SHARE } from './sliding-window.js'

/**
 * Partial batches are paced to spend only this share of what is left. Together with what they
 * spend before pacing sets in, they take less than half of a window from full batches.
 */
const PACED_SHARE = 0.4

/** After this share of the age at which impressions expire, their batch is urgent. */
const URGENT_SHARE = 0.75

/** Full batches, once the quota was exhausted, are paced to last for this share of a window. */
const FULL_BATCH_HORIZON = 0.5

/** No interval is longer than this share of that age, so that each call carries the most. */
const LONGEST_INTERVAL_SHARE = 0.9

/** The last calls of a window that others spend from as well are reserved for them. */
const RESERVED_CALLS = 10

/** A reset that is given in whole seconds may come this much later. */
const RESET_ROUNDING_MS = 1_000

/**
 * `partial`: could still take more impressions. `full`: cannot. `retry`: is sent again as it is.
 */
export type BatchKind = 'partial' | 'full' | 'retry'

/** A call in flight. Return it when the call has ended. */
export interface QuotaUse {
  /** Calls that had ended before it was sent. */
  readonly endedBefore: number
}

/** Milliseconds between calls: to spend everything that is left, and to spend sparingly. */
interface Intervals {
  fullMs: number
  sparingMs: number
}

/** What an answer said is left, less what has been spent since. */
interface ReportedQuota {
  /** Calls that are certainly left. */
  certain: number
  /** Calls that are left if the network had already counted everything in flight. */
  atMost: number
  readonly untilMs: number
  readonly limit: number | undefined
  readonly window: SlidingWindow | undefined
  /** Whether others spend from it, or an earlier process did: our own count is then too low. */
  readonly isShared: boolean
  readonly reserved: number
}

/**
 * How many calls a network allows, and how they are spread over time. It starts with the published
 * windows and corrects them by what answers say. Other programs may use the same key, so an
 * answer's figure counts where it is lower than our own.
 */
export class Quota {
  readonly #maxAgeMs: number
  readonly #maxBatch: number
  readonly #sendingRate = new SendingRate()
  /** How many calls per millisecond would carry the recent impressions if all calls were full. */
  #fullCallsPerMs = 0
  readonly #windows: QuotaWindows
  #reported: readonly ReportedQuota[] = []
  #inFlight = 0
  #ended = 0
  #lastCallMs = Number.NEGATIVE_INFINITY
  #lastPartialMs = Number.NEGATIVE_INFINITY
  #urgentUntilMs = Number.NEGATIVE_INFINITY
  readonly #processes: ProcessEstimate

  /**
   * @param windows if empty, no quota is known, and only a 429 says so
   * @param maxBatch most impressions that a call carries
   * @param maxAgeMs how long an impression may wait
   * @param processes how many are known to share the quota
   */
  constructor(windows: readonly QuotaWindow[], maxBatch: number, maxAgeMs: number, processes = 1) {
    this.#processes = new ProcessEstimate(windows, processes)
    this.#windows = new QuotaWindows(windows)
    this.#maxBatch = maxBatch
    this.#maxAgeMs = maxAgeMs
  }

  /**
   * Milliseconds until any call may be sent; `Infinity`: not before a call in flight ends. Call it
   * only while impressions wait.
   */
  waitMs(nowMs: number): number {
    let waitMs = 0
    for (const window of this.#windows.all) {
      waitMs = Math.max(waitMs, window.waitMs(nowMs, this.#inFlight))
    }
    for (const reported of this.#reported) {
      waitMs = Math.max(waitMs, this.#reportedWaitMs(reported, nowMs))
    }
    return waitMs
  }

  /** What is left of each window that has a limit, shortest first. */
  left(nowMs: number): QuotaLeft[] {
    return this.#windows.all
      .filter(({ limit }) => Number.isFinite(limit))
      .map((window) => ({
        windowMs: window.windowMs,
        limit: window.limit,
        remaining: Math.max(0, this.#remaining(window, nowMs)),
      }))
      .sort((one, other) => one.windowMs - other.windowMs)
  }

  /** The lowest figure: our own, or what an answer reported. */
  #remaining(window: SlidingWindow, nowMs: number): number {
    const reports = this.#reported.filter(
      (reported) => reported.window === window && nowMs < reported.untilMs,
    )
    const own = window.remaining(nowMs, this.#inFlight)
    return Math.min(own, ...reports.map(({ certain }) => certain))
  }

  /**
   * Milliseconds until a partial batch may be sent, or a full one where quota may run short. Check
   * `waitMs` first.
   *
   * @param waitedMs how long the oldest impression of the batch has waited
   */
  pacedWaitMs(nowMs: number, kind: BatchKind, waitedMs: number): number {
    const intervals = this.#intervals(nowMs, kind)
    if (intervals.fullMs === 0) return 0
    const longestMs = this.#maxAgeMs * LONGEST_INTERVAL_SHARE
    const fullMs = Math.min(intervals.fullMs, longestMs)
    if (kind === 'full') return Math.max(0, this.#lastCallMs + fullMs - nowMs)
    // However many full batches one search query makes, the others get their turn in the end.
    const urgentInMs = this.#urgentInMs(nowMs, waitedMs)
    const urgentMs = Math.max(urgentInMs, this.#lastPartialMs + fullMs - nowMs)
    const sparingMs = this.#lastCallMs + Math.min(intervals.sparingMs, longestMs) - nowMs
    return Math.max(0, Math.min(urgentMs, sparingMs))
  }

  /** Where more impressions expire than are sent, the next one may be young: urgency lasts longer. */
  #urgentInMs(nowMs: number, waitedMs: number): number {
    const urgentInMs = this.#maxAgeMs * URGENT_SHARE - waitedMs
    if (urgentInMs <= 0) this.#urgentUntilMs = nowMs + this.#maxAgeMs * (1 - URGENT_SHARE)
    return nowMs < this.#urgentUntilMs ? 0 : urgentInMs
  }

  /** Whether an impression that has waited this long must be sent soon. */
  isUrgent(waitedMs: number): boolean {
    return this.#windows.all.length > 0 && waitedMs >= this.#maxAgeMs * URGENT_SHARE
  }

  /** A call is sent. */
  use(nowMs: number, kind: BatchKind, impressions: number): QuotaUse {
    this.#sendingRate.add(impressions, nowMs)
    this.#fullCallsPerMs = this.#sendingRate.perMs(nowMs) / this.#maxBatch
    this.#lastCallMs = nowMs
    this.#processes.onCall(nowMs)
    if (kind === 'partial') this.#lastPartialMs = nowMs
    this.#inFlight += 1
    for (const reported of this.#reported) {
      reported.certain -= 1
      reported.atMost -= 1
    }
    return { endedBefore: this.#ended }
  }

  /** The call has ended, so that the network has seen it by now. */
  settle({ endedBefore }: QuotaUse, nowMs: number, answer: Answer | undefined): void {
    // The network may have counted these calls only after it wrote the answer.
    const uncounted = this.#inFlight - 1 + this.#ended - endedBefore
    this.#inFlight -= 1
    this.#ended += 1
    for (const window of this.#windows.all) window.onCallEnd(nowMs)
    if (answer && this.#windows.all.length > 0) this.#readAnswer(answer, nowMs, uncounted)
  }

  /**
   * Other processes have made all calls so far.
   *
   * @param agesMs how long ago each ended at the latest, oldest first; negative for one that may
   * still be in flight
   */
  restore(agesMs: readonly number[], nowMs: number): void {
    this.#windows.restore(agesMs, nowMs)
    this.#reported = []
  }

  #readAnswer(answer: Answer, nowMs: number, uncounted: number): void {
    const { windows, isWholePolicy, remaining } = readRateLimits(answer)
    if (windows.length > 0) this.#windows.adoptPolicy(windows, isWholePolicy)
    this.#reported =
      remaining.length > 0
        ? remaining.map((one) => this.#createReport(one, nowMs, answer.atMs, uncounted))
        : this.#reported.filter(({ untilMs }) => untilMs > nowMs)
    if (remaining.length > 0) this.#observeOthers(nowMs)
  }

  /** The shortest window shows best what others do at present. */
  #observeOthers(nowMs: number): void {
    const [shortest] = this.#reported
      .flatMap(({ window, untilMs }) => (window ? [{ window, untilMs }] : []))
      .sort((one, other) => one.window.windowMs - other.window.windowMs)
    if (!shortest) return
    const { window, untilMs } = shortest
    const beganMs = untilMs - RESET_ROUNDING_MS - window.windowMs
    this.#processes.onAnswer(window.spentByOthers(nowMs) ?? 0, nowMs - beganMs)
  }

  #createReport(
    remaining: Remaining,
    nowMs: number,
    atMs: number,
    uncounted: number,
  ): ReportedQuota {
    const { calls, untilMs, limit } = remaining
    const window = this.#windows.find(remaining, atMs)
    // A window resets within its own length, so a later reset is a mistake.
    const longestMs = Math.max(...this.#windows.all.map((known) => known.windowMs))
    const resetInMs = Math.min(Math.max(0, untilMs - atMs), longestMs)
    const resetMs = nowMs + resetInMs + RESET_ROUNDING_MS
    const isShared = window?.reportRemaining(calls, nowMs, this.#inFlight, resetMs) ?? true
    const quota = limit ?? window?.limit
    return {
      certain: calls - uncounted,
      atMost: calls,
      untilMs: resetMs,
      limit: quota,
      window,
      isShared,
      reserved: isShared ? Math.min(RESERVED_CALLS, Math.floor((quota ?? 0) / 20)) : 0,
    }
  }

  #reportedWaitMs(reported: ReportedQuota, nowMs: number): number {
    const { certain, atMost, untilMs, window, isShared, reserved } = reported
    if (nowMs >= untilMs) {
      // Only the network knows how much came back, so one call goes first to find out.
      return isShared && this.#inFlight > 0 ? Number.POSITIVE_INFINITY : 0
    }
    if (certain > reserved) return 0
    if (atMost > reserved) return this.#inFlight > 0 ? Number.POSITIVE_INFINITY : 0
    window?.markExhausted(nowMs)
    return untilMs - nowMs
  }

  /** Full batches gain nothing by waiting, so only a quota that was exhausted delays them. */
  #intervals(nowMs: number, kind: BatchKind): Intervals {
    const intervals = { fullMs: 0, sparingMs: 0 }
    if (kind === 'retry') return intervals
    const processes = this.#processes.count
    const horizon = kind === 'full' ? FULL_BATCH_HORIZON : 1
    for (const window of this.#windows.all) {
      if (kind === 'full' && !window.isShort(nowMs)) continue
      const share = window.partialBatchShare(this.#fullCallsPerMs)
      const { spareShare, others } = this.#processes.assume(window, nowMs)
      const spare = share * spareShare
      const intervalMs = window.intervalMs(nowMs, this.#inFlight, spare, horizon, others)
      lengthen(intervals, intervalMs * processes, share)
    }
    for (const reported of this.#reported) this.#lengthenByReport(intervals, reported, nowMs, kind)
    return intervals
  }

  #lengthenByReport(
    intervals: Intervals,
    { certain, untilMs, limit, window, reserved }: ReportedQuota,
    nowMs: number,
    kind: BatchKind,
  ): void {
    if (untilMs <= nowMs || (kind === 'full' && !window?.isShort(nowMs))) return
    const processes = this.#processes.count
    const share = window?.partialBatchShare(this.#fullCallsPerMs) ?? 1
    const hasSpare = limit !== undefined && limit - certain <= limit * SPARE_SHARE * share
    const intervalMs = (untilMs - nowMs) / Math.max(1, certain - reserved)
    if (!hasSpare) lengthen(intervals, intervalMs * processes, share)
  }
}

function lengthen(intervals: Intervals, fullMs: number, partialShare: number): void {
  intervals.fullMs = Math.max(intervals.fullMs, fullMs)
  intervals.sparingMs = Math.max(intervals.sparingMs, fullMs / (PACED_SHARE * partialShare))
}
