import { MonotonicTime } from '../clock.js'

/**
 * What a call came to, as far as the gate is concerned. `unsent`: it could not even be tried, which
 * tells nothing of the network.
 */
export type CallResult = 'answered' | 'refused' | 'ambiguous' | 'misconfigured' | 'unsent'

/** The permission for one call; hand it back with the call's result. */
export interface Permit {
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

/** With calls under way, a network that has said nothing for so long may never answer them. */
const SILENCE_MS = 1_000

/**
 * One network's gate. It is open; or wary, since the last call was ambiguous or calls are under way
 * and the network is silent: then one call at a time leaves until any is answered; or closed, since
 * a call was refused or ambiguity has become the rule: then nothing leaves until its time has come,
 * one call goes first as a probe, and only its success opens the gate again.
 *
 * A call that goes alone, be the gate wary or closed, carries one impression, so that an outage
 * costs what was under way when it began and one impression a probe, however long it lasts.
 */
export class CircuitBreaker {
  readonly #random: () => number
  readonly #time = new MonotonicTime()
  #closed = false
  #opensAtMs = 0
  /** The call that goes alone, while it is under way. */
  #probe: Permit | undefined
  #closings = 0
  /** Closings since the last success: the backoff's exponent. */
  #failures = 0
  /** Ambiguous calls since the last one that was not. */
  #inARow = 0
  #recent: boolean[] = []
  #underWay = 0
  /** When the network was last heard of, or else the first of the calls under way left. */
  #silentSinceMs = 0

  /** @param random a number from 0 up to 1, as `Math.random` */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Milliseconds until a call may leave; `Infinity` while a probe is under way. */
  waitMs(nowMs: number): number {
    const now = this.#time.advance(nowMs)
    if (this.#isOpen(now)) return 0
    if (this.#probe) return Number.POSITIVE_INFINITY
    return this.#closed ? Math.max(0, this.#opensAtMs - now) : 0
  }

  /** Whether nothing leaves but a probe, and that only in its time. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Whether calls need not go alone. */
  isOpen(nowMs: number): boolean {
    return this.#isOpen(this.#time.advance(nowMs))
  }

  /** Most impressions that the next call may carry. */
  limit(maxBatch: number, nowMs: number): number {
    return this.isOpen(nowMs) ? maxBatch : 1
  }

  /** A call leaves; ask `waitMs` first. */
  acquire(nowMs: number): Permit {
    const now = this.#time.advance(nowMs)
    const pass = { probe: !this.#isOpen(now), closings: this.#closings }
    if (pass.probe) this.#probe = pass
    if (this.#underWay === 0) this.#silentSinceMs = now
    this.#underWay += 1
    return pass
  }

  /** @param retryAfterMs the network's own word how long to wait */
  release(pass: Permit, result: CallResult, nowMs: number, retryAfterMs = 0): void {
    const now = this.#time.advance(nowMs)
    if (pass === this.#probe) this.#probe = undefined
    this.#underWay -= 1
    if (result === 'unsent') return
    if (result !== 'ambiguous') this.#silentSinceMs = now
    const waitMs = Math.max(retryAfterMs, result === 'misconfigured' ? MISCONFIGURED_MS : 0)
    if (pass.closings !== this.#closings) {
      this.#leaveLate(result, now, waitMs)
    } else if (result === 'answered') {
      this.#succeed(now)
    } else if (result !== 'ambiguous' || this.#closed || this.#isAmbiguityTheRule()) {
      this.#close(now, waitMs)
    }
  }

  /**
   * Of the calls that were under way when the gate closed only the first counts as a failure; the
   * others' backoff would add up to the longest of many random ones, which is no jitter. What the
   * network asks for it gets all the same.
   */
  #leaveLate(result: CallResult, now: number, waitMs: number): void {
    // Of the key a probe that is under way tells more.
    if (result === 'misconfigured' && this.#probe) return
    if (this.#closed && result !== 'answered') this.#keepClosed(now + waitMs)
    else if (result === 'refused' && waitMs > 0) this.#close(now, waitMs)
  }

  #isOpen(now: number): boolean {
    if (this.#closed || this.#inARow > 0) return false
    return this.#underWay === 0 || now - this.#silentSinceMs <= SILENCE_MS
  }

  #succeed(now: number): void {
    if (this.#closed) this.#recent = []
    else this.#remember(false)
    // A late answer may have asked for more time since the probe left.
    this.#closed = this.#closed && now < this.#opensAtMs
    this.#failures = 0
    this.#inARow = 0
    // Where it goes alone no longer, another call may go alone before it has ended.
    this.#probe = undefined
  }

  #close(now: number, waitMs: number): void {
    this.#closed = true
    this.#closings += 1
    this.#failures += 1
    this.#probe = undefined
    this.#keepClosed(now + Math.max(waitMs, this.#backoffMs()))
  }

  #keepClosed(untilMs: number): void {
    this.#opensAtMs = Math.max(this.#opensAtMs, untilMs)
  }

  /** Exponential with full jitter: anything up to the bound, so that many processes spread out. */
  #backoffMs(): number {
    const boundMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1))
    return this.#random() * boundMs
  }

  #isAmbiguityTheRule(): boolean {
    this.#inARow += 1
    this.#remember(true)
    if (this.#inARow >= AMBIGUOUS_IN_A_ROW) return true
    const ambiguous = this.#recent.filter(Boolean).length
    return this.#recent.length === RECENT_CALLS && ambiguous * 2 > RECENT_CALLS
  }

  #remember(isAmbiguous: boolean): void {
    this.#recent.push(isAmbiguous)
    if (this.#recent.length > RECENT_CALLS) this.#recent.shift()
  }
}
