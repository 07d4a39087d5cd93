/** What a call came to, as far as the gate is concerned. */
export type CallResult = 'answered' | 'refused' | 'ambiguous' | 'misconfigured'

/** The permission for one call; hand it back with the call's result. */
export interface Pass {
  /** Whether all later calls wait for this one. */
  readonly probe: boolean
  /** The gate's closings so far: a call that left before the last one tells nothing new. */
  readonly closings: number
}

const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 60_000
/** A wrong key mends itself only when a person mends it. */
const MISCONFIGURED_MS = 60_000

/** This many ambiguous calls in a row are no longer an exception. */
const AMBIGUOUS_IN_A_ROW = 5
/** Nor are more than half of the last this many. */
const RECENT_CALLS = 20

/**
 * One network's gate: every failure that makes waiting sensible closes it for all calls. When its
 * time has come one call goes first as a probe, and only its success opens the gate again.
 */
export class Gate {
  readonly #random: () => number
  #closed = false
  #opensAtMs = 0
  #probing = false
  #closings = 0
  /** Closings since the last success: the backoff's exponent. */
  #failures = 0
  /** Whether a probe may cost its impressions, so that it carries one only. */
  #ambiguous = false
  #inARow = 0
  #recent: boolean[] = []

  /** @param random a number from 0 up to 1, as `Math.random` */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Milliseconds until a call may leave; `Infinity` while a probe is under way. */
  waitMs(nowMs: number): number {
    if (!this.#closed) return 0
    return this.#probing ? Number.POSITIVE_INFINITY : Math.max(0, this.#opensAtMs - nowMs)
  }

  /** Most impressions that the next call may carry. */
  limit(maxBatch: number): number {
    return this.#closed && this.#ambiguous ? 1 : maxBatch
  }

  /** A call leaves; ask `waitMs` first. */
  enter(): Pass {
    this.#probing = this.#closed
    return { probe: this.#closed, closings: this.#closings }
  }

  /** @param retryAfterMs the network's own word how long to wait */
  leave(pass: Pass, result: CallResult, nowMs: number, retryAfterMs = 0): void {
    if (pass.probe) this.#probing = false
    this.#remember(result === 'ambiguous')

    if (result === 'answered') {
      if (pass.probe) this.#open()
      else if (!this.#closed) this.#failures = 0
      return
    }
    if (result === 'ambiguous' && !pass.probe && !this.#isAmbiguityTheRule()) return

    this.#ambiguous ||= result === 'ambiguous'
    // Of the calls that were under way when the gate closed only the first counts as a failure.
    if (pass.closings === this.#closings) {
      this.#closings += 1
      this.#failures += 1
    }
    this.#closed = true
    const delayMs = Math.max(
      retryAfterMs,
      result === 'misconfigured' ? MISCONFIGURED_MS : this.#backoffMs(),
    )
    this.#opensAtMs = Math.max(this.#opensAtMs, nowMs + delayMs)
  }

  #open(): void {
    this.#closed = false
    this.#ambiguous = false
    this.#failures = 0
    this.#inARow = 0
    this.#recent = []
  }

  /** Exponential with full jitter: anything up to the bound, so that many processes spread out. */
  #backoffMs(): number {
    const boundMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1))
    return this.#random() * boundMs
  }

  #remember(ambiguous: boolean): void {
    this.#inARow = ambiguous ? this.#inARow + 1 : 0
    this.#recent.push(ambiguous)
    if (this.#recent.length > RECENT_CALLS) this.#recent.shift()
  }

  #isAmbiguityTheRule(): boolean {
    if (this.#inARow >= AMBIGUOUS_IN_A_ROW) return true
    const ambiguous = this.#recent.filter(Boolean).length
    return this.#recent.length === RECENT_CALLS && ambiguous * 2 > RECENT_CALLS
  }
}
