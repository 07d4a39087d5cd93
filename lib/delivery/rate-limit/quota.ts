import { MonotonicTime } from '../../clock.js'
import type { QuotaWindow } from '../../networks/network.js'
import type { Answer } from '../../networks/verdict.js'
import { type Remaining, readRateLimits } from './rate-limit-headers.js'
import { SendingRate } from './sending-rate.js'
import { SlidingWindow, SPARE_SHARE } from './sliding-window.js'

/**
 * Calls that are not full keep a pace at which only this share of what is left is spent. With what
 * is spent before there is a pace, they take less than half of a window from others,
 */
const PACED_SHARE = 0.4

/** until their impressions have waited for this share of the age at which they expire. */
const URGENT_SHARE = 0.75

/** Full batches, once the budget has run dry, keep a pace that lasts for this share of a window. */
const FULL_AHEAD_SHARE = 0.5

/** No pace is slower than a call in this share of that age, so that each call saves the most. */
const SLOWEST_SHARE = 0.9

/** The last calls of a window that others spend from as well are left to them. */
const RESERVED_CALLS = 10

/** How long after a reset told in whole seconds it may really come. */
const RESET_ROUNDING_MS = 1_000

/** Windows that are remembered, those included that the network has ceased to name. */
const MAX_WINDOWS = 16

/** A call that leaves: part of a page's, as full as can be, or half of a batch that was split. */
export type BatchKind = 'partial' | 'full' | 'half'

/** A call that has left; hand it back when it has ended. */
export interface QuotaUse {
  /** Calls that had ended before it left. */
  readonly endedBefore: number
}

/** Milliseconds a call: if all that is left may be spent, and if some of it shall last. */
interface Pace {
  allMs: number
  sparingMs: number
}

/** What an answer said is left, less what was spent since. */
interface ReportedQuota {
  /** Calls that are left for sure; */
  certain: number
  /** and if the network had already counted all that was under way when it answered. */
  atMost: number
  readonly untilMs: number
  readonly limit: number | undefined
  readonly window: SlidingWindow | undefined
  /** Whether others have spent of it, or an earlier process: our own count then tells nothing. */
  readonly isShared: boolean
  readonly reserved: number
}

/**
 * How many calls a network allows, and how they are spread over time: its published quotas,
 * corrected by what its answers say. Other programs may use the same key, so that an answer's
 * figure holds where it is the lower one.
 */
export class Quota {
  readonly #maxAgeMs: number
  readonly #maxBatch: number
  readonly #sending = new SendingRate()
  readonly #time = new MonotonicTime()
  /** Calls that would carry the impressions of late if all were full. */
  #fullCallsPerMs = 0
  #windows: readonly SlidingWindow[]
  #reported: readonly ReportedQuota[] = []
  #inFlight = 0
  #ended = 0
  #lastCallMs = Number.NEGATIVE_INFINITY
  #lastPartialMs = Number.NEGATIVE_INFINITY
  #urgentUntilMs = Number.NEGATIVE_INFINITY

  /**
   * @param windows none: nothing is known of any quota, and a 429 alone tells
   * @param maxBatch most impressions that a call carries
   * @param maxAgeMs how long an impression may wait
   */
  constructor(windows: readonly QuotaWindow[], maxBatch: number, maxAgeMs: number) {
    this.#windows = windows.map((window) => new SlidingWindow(window))
    this.#maxBatch = maxBatch
    this.#maxAgeMs = maxAgeMs
  }

  /**
   * Milliseconds until any call may leave; `Infinity`: not before one that is under way ends. To
   * be asked while something waits to be sent.
   */
  waitMs(nowMs: number): number {
    const now = this.#time.advance(nowMs)
    let waitMs = 0
    for (const window of this.#windows)
      waitMs = Math.max(waitMs, window.waitMs(now, this.#inFlight))
    for (const told of this.#reported) waitMs = Math.max(waitMs, this.#reportedWaitMs(told, now))
    return waitMs
  }

  /**
   * Milliseconds until a call may leave that could still take more impressions, or that is full
   * but may find the budget short. Ask `waitMs` first.
   *
   * @param waitedMs how long the oldest of its impressions has waited
   */
  pacedWaitMs(nowMs: number, kind: BatchKind, waitedMs: number): number {
    const now = this.#time.advance(nowMs)
    const pace = this.#pace(now, kind)
    if (pace.allMs === 0) return 0
    const slowestMs = this.#maxAgeMs * SLOWEST_SHARE
    const allMs = Math.min(pace.allMs, slowestMs)
    if (kind === 'full') return Math.max(0, this.#lastCallMs + allMs - now)
    // However many full batches of a busy search query leave, the others get their turn in the end.
    const urgentInMs = this.#urgentInMs(now, waitedMs)
    const urgentMs = Math.max(urgentInMs, this.#lastPartialMs + allMs - now)
    const sparingMs = this.#lastCallMs + Math.min(pace.sparingMs, slowestMs) - now
    return Math.max(0, Math.min(urgentMs, sparingMs))
  }

  /** Where more expires than is sent the next to be sent may be young: urgency outlasts it. */
  #urgentInMs(now: number, waitedMs: number): number {
    const urgentInMs = this.#maxAgeMs * URGENT_SHARE - waitedMs
    if (urgentInMs <= 0) this.#urgentUntilMs = now + this.#maxAgeMs * (1 - URGENT_SHARE)
    return now < this.#urgentUntilMs ? 0 : urgentInMs
  }

  /** A call leaves that carries so many impressions. */
  spend(nowMs: number, kind: BatchKind, impressions: number): QuotaUse {
    const now = this.#time.advance(nowMs)
    this.#sending.add(impressions, now)
    this.#fullCallsPerMs = this.#sending.perMs(now) / this.#maxBatch
    this.#lastCallMs = now
    if (kind === 'partial') this.#lastPartialMs = now
    this.#inFlight += 1
    for (const told of this.#reported) {
      told.certain -= 1
      told.atMost -= 1
    }
    return { endedBefore: this.#ended }
  }

  /**
   * The call has ended, so that the network has seen it at the latest now.
   *
   * @param answer the network's, if one came
   */
  settle({ endedBefore }: QuotaUse, nowMs: number, answer: Answer | undefined): void {
    const now = this.#time.advance(nowMs)
    // These the network may have counted only after it wrote the answer.
    const unseen = this.#inFlight - 1 + this.#ended - endedBefore
    this.#inFlight -= 1
    this.#ended += 1
    for (const window of this.#windows) window.end(now)
    if (answer && this.#windows.length > 0) this.#observe(answer, now, unseen)
  }

  #observe(answer: Answer, now: number, unseen: number): void {
    const { windows, isWholePolicy, remaining } = readRateLimits(answer)
    if (windows.length > 0) this.#adopt(windows, isWholePolicy)
    this.#reported =
      remaining.length > 0
        ? remaining.map((one) => this.#report(one, now, answer.atMs, unseen))
        : this.#reported.filter(({ untilMs }) => untilMs > now)
  }

  #report(remaining: Remaining, now: number, atMs: number, unseen: number): ReportedQuota {
    const { calls, untilMs, limit } = remaining
    const window = this.#findWindow(remaining, atMs)
    const isShared = window?.reportRemaining(calls, now, this.#inFlight) ?? true
    const quota = limit ?? window?.limit
    // A window is reset within its own length: a reset later than any of them is a mistake.
    const longestMs = Math.max(...this.#windows.map((known) => known.windowMs))
    const resetInMs = Math.min(Math.max(0, untilMs - atMs), longestMs)
    return {
      certain: calls - unseen,
      atMost: calls,
      untilMs: now + resetInMs + RESET_ROUNDING_MS,
      limit: quota,
      window,
      isShared,
      reserved: isShared ? Math.min(RESERVED_CALLS, Math.floor((quota ?? 0) / 20)) : 0,
    }
  }

  /** The window that an answer speaks of: the one it names, else the shortest that fits. */
  #findWindow(
    { calls, untilMs, limit, windowMs }: Remaining,
    atMs: number,
  ): SlidingWindow | undefined {
    return this.#windows
      .filter((window) => {
        if (windowMs !== undefined) return window.windowMs === windowMs
        const isOfLimit = limit === undefined ? window.limit >= calls : window.limit === limit
        return isOfLimit && window.windowMs >= untilMs - atMs && Number.isFinite(window.limit)
      })
      .sort((one, other) => one.windowMs - other.windowMs)[0]
  }

  /**
   * The network's policy takes the place of what was known. Calls already made still count, in
   * windows that are new and in those that come back.
   */
  #adopt(policy: readonly QuotaWindow[], isWhole: boolean): void {
    const known = [...this.#windows].sort((one, other) => other.windowMs - one.windowMs)
    const named = policy.map((quota) => {
      const window =
        known.find(({ windowMs }) => windowMs === quota.windowMs) ??
        new SlidingWindow(quota, known[0])
      window.limit = quota.limit
      return window
    })
    const unnamed = known.filter((window) => !named.includes(window))
    if (isWhole) for (const window of unnamed) window.limit = Number.POSITIVE_INFINITY
    this.#windows = [...named, ...unnamed].slice(0, MAX_WINDOWS)
  }

  #reportedWaitMs(told: ReportedQuota, now: number): number {
    const { certain, atMost, untilMs, window, isShared, reserved } = told
    if (now >= untilMs) {
      // How much came back the network alone knows: one call goes ahead, and its answer tells.
      return isShared && this.#inFlight > 0 ? Number.POSITIVE_INFINITY : 0
    }
    if (certain > reserved) return 0
    if (atMost > reserved) return this.#inFlight > 0 ? Number.POSITIVE_INFINITY : 0
    window?.markExhausted(now)
    return untilMs - now
  }

  /** Full batches gain nothing by waiting: only a budget too short for all holds them up. */
  #pace(now: number, kind: BatchKind): Pace {
    const pace = { allMs: 0, sparingMs: 0 }
    if (kind === 'half') return pace
    for (const window of this.#windows) {
      if (kind === 'full' && !window.isShort(now)) continue
      const room = window.partialBatchShare(this.#fullCallsPerMs)
      const aheadShare = kind === 'full' ? FULL_AHEAD_SHARE : 1
      slowDown(pace, window.paceMs(now, this.#inFlight, room, aheadShare), room)
    }
    for (const { certain, untilMs, limit, window, reserved } of this.#reported) {
      if (untilMs <= now || (kind === 'full' && !window?.isShort(now))) continue
      const room = window?.partialBatchShare(this.#fullCallsPerMs) ?? 1
      if (limit !== undefined && limit - certain <= limit * SPARE_SHARE * room) continue
      slowDown(pace, (untilMs - now) / Math.max(1, certain - reserved), room)
    }
    return pace
  }
}

function slowDown(pace: Pace, allMs: number, room: number): void {
  pace.allMs = Math.max(pace.allMs, allMs)
  pace.sparingMs = Math.max(pace.sparingMs, allMs / (PACED_SHARE * room))
}
