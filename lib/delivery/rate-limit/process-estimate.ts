import type { QuotaWindow } from '../../networks/network.js'
import type { SlidingWindow } from './sliding-window.js'

/** Each new observation counts for so much of the mean. */
const NEWEST_SHARE = 0.2

/** Others count a little less than we do, so that a busy program does not silence us. */
const OTHERS_WEIGHT = 0.6

/** Over a shorter span, a count of calls says nothing about their rate. */
const SHORTEST_SPAN_MS = 30_000

/** A process that never sees more than this many others still sends now and then. */
const MOST_PROCESSES = 32

/** Until we know our own pace, we assume that of one among this many processes, roughly. */
const ASSUMED_PROCESSES = 30

/**
 * A window that answers do not report was perhaps spent from before our first call. So there is less
 * to spare: what would be in the time since then, and in an hour before.
 */
const HEAD_START_MS = 3_600_000

/**
 * How many processes seem to share a quota: everyone's calls for each of our own. A network counts
 * the calls of all processes together, and says in each answer how many are left.
 */
export class ProcessEstimate {
  readonly #known: number
  /** Means of what recent answers have shown: calls of others, within a span. */
  #othersCalls = 0
  #othersSpanMs = SHORTEST_SPAN_MS
  #hasAnswer = false
  /** The mean time between our own recent calls. */
  #gapMs: number
  #firstCallMs: number | undefined
  #lastCallMs: number | undefined

  /** @param known how many processes there are at least */
  constructor(windows: readonly QuotaWindow[], known: number) {
    const evenGapsMs = windows.map(({ limit, windowMs }) => windowMs / limit)
    this.#gapMs = ASSUMED_PROCESSES * Math.max(0, ...evenGapsMs)
    this.#known = known
  }

  /** We send a call. */
  onCall(nowMs: number): void {
    const gapMs = nowMs - (this.#lastCallMs ?? nowMs - this.#gapMs)
    this.#gapMs += NEWEST_SHARE * (gapMs - this.#gapMs)
    this.#firstCallMs ??= nowMs
    this.#lastCallMs = nowMs
  }

  /** An answer shows that others have made so many calls within a span. */
  onAnswer(othersCalls: number, spanMs: number): void {
    const newestShare = this.#hasAnswer ? NEWEST_SHARE : 1
    this.#hasAnswer = true
    this.#othersCalls += newestShare * (othersCalls - this.#othersCalls)
    const longMs = Math.max(spanMs, SHORTEST_SPAN_MS)
    this.#othersSpanMs += newestShare * (longMs - this.#othersSpanMs)
  }

  /** At least 1; not a whole number, as some processes send more than others. */
  get count(): number {
    const seen = 1 + OTHERS_WEIGHT * this.#othersPerMs * this.#gapMs
    return Math.max(this.#known, Math.min(seen, MOST_PROCESSES))
  }

  /** What is assumed of a window: how much of its spare share is ours, and what others spent. */
  assume(window: SlidingWindow, nowMs: number): { spareShare: number; others: number } {
    const spareShare = 1 / this.#known
    const isReported = window.spentByOthers(nowMs) !== undefined
    // Without any report, our own calls are all that can be known.
    if (isReported || !this.#hasAnswer) return { spareShare, others: 0 }
    const seenMs = Math.min(window.windowMs, nowMs - (this.#firstCallMs ?? nowMs) + HEAD_START_MS)
    const others = this.#othersPerMs * seenMs
    return { spareShare: (spareShare * seenMs) / window.windowMs, others }
  }

  /** Calls that others make per millisecond. */
  get #othersPerMs(): number {
    return this.#othersCalls / this.#othersSpanMs
  }
}
