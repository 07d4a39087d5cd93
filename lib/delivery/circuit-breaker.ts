import type { CircuitState } from '../observability/health.js'
import { jitteredBackoffMs } from './backoff.js'

/**
 * What a call says about the network.
 *
 * - `refused`: not counted; the next call may succeed.
 * - `paused`: not counted, and the network asks to wait.
 * - `suspect`: a gateway refused this batch, or everything: the calls around it tell.
 * - `unsent`: the call could not even be tried, which says nothing.
 */
export type CallResult =
  | 'answered'
  | 'refused'
  | 'paused'
  | 'ambiguous'
  | 'suspect'
  | 'misconfigured'
  | 'unsent'

/** The permission for one call. Return it with the call's result. */
export interface Permit {
  /** Whether all later calls wait for this one. */
  readonly isProbe: boolean
  /** How often the breaker had opened: a call from before the last opening says nothing new. */
  readonly openings: number
}

/** Only a person can fix a wrong key or base URL, so probes are rare. */
const MISCONFIGURED_MS = 60_000

/** This many failed calls in a row are no longer an exception. */
const FAILURES_IN_A_ROW = 5
/** Nor are more than half of this many recent calls. */
const RECENT_CALLS = 20
/** This many suspect calls in a row are no longer about one batch. */
const SUSPECTS_IN_A_ROW = 3

/** With calls in flight, a network that has been silent for longer may never answer them. */
const SILENCE_MS = 1_000

/**
 * One network's circuit breaker (https://martinfowler.com/bliki/CircuitBreaker.html).
 *
 * - *Closed*: calls go through. It is cautious after a failed call, and while calls are in flight
 *   and the network is silent: then one call at a time goes through until any is answered. So one
 *   failing backend of many costs its own calls, and no others.
 * - *Open*: when the network asks for a pause, when it is misconfigured, or when failed calls are
 *   the rule. Nothing goes through until the backoff or the network's own wait is over.
 * - *Half-open*: after that wait. One call goes through as a probe, and only its success closes the
 *   breaker.
 *
 * A call that goes alone carries one impression, so that an outage costs what was in flight when it
 * began and one impression per probe, however long it lasts.
 */
export class CircuitBreaker {
  readonly #random: () => number
  readonly #longestWaitMs: number
  #isOpen = false
  /** Whether it is open for a reason that holds for every process with the same key. */
  #isPaused = false
  /** When it becomes half-open. */
  #probeAtMs = 0
  /** The call that goes alone, while it is in flight. */
  #probe: Permit | undefined
  #openings = 0
  /** Openings since the last success: the exponent of the backoff. */
  #openingsInARow = 0
  #failuresInARow = 0
  #suspectsInARow = 0
  /** Whether any call has been answered yet. */
  #hasSucceeded = false
  /** Whether each of the recent calls failed. */
  #recent: boolean[] = []
  #inFlight = 0
  /** When the network last answered, or the first of the calls in flight was sent. */
  #silentSinceMs = 0

  /**
   * @param random returns a number from 0 up to 1, as `Math.random`
   * @param longestWaitMs the longest wait that an answer may ask for, so that no single header
   *   silences the network for days
   */
  constructor(random: () => number, longestWaitMs = Number.POSITIVE_INFINITY) {
    this.#random = random
    this.#longestWaitMs = longestWaitMs
  }

  /** Whether nothing but a probe may go through. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether the latest call failed. */
  get isFailing(): boolean {
    return this.#failuresInARow > 0
  }

  state(nowMs: number): CircuitState {
    if (!this.#isOpen) return 'closed'
    return this.#probe || nowMs >= this.#probeAtMs ? 'half-open' : 'open'
  }

  /** Milliseconds until a probe may go through while it is open; 0 while it is closed. */
  blockedForMs(nowMs: number): number {
    return this.#isOpen ? Math.max(1, this.#probeAtMs - nowMs) : 0
  }

  /**
   * Milliseconds for which no process may call the network: it asks for a pause, or refuses the key
   * or the base URL. 0 otherwise: failed calls may be about this process's connection or backend
   * alone, and each process finds out for itself.
   */
  pausedForMs(nowMs: number): number {
    return this.#isOpen && this.#isPaused ? Math.max(0, this.#probeAtMs - nowMs) : 0
  }

  /** Milliseconds until a call may go through; `Infinity` while a probe is in flight. */
  waitMs(nowMs: number): number {
    if (this.allowsParallelCalls(nowMs)) return 0
    if (this.#probe) return Number.POSITIVE_INFINITY
    return this.#isOpen ? Math.max(0, this.#probeAtMs - nowMs) : 0
  }

  /** Whether it is closed and not cautious. */
  allowsParallelCalls(nowMs: number): boolean {
    if (this.#isOpen || this.#failuresInARow > 0) return false
    return this.#inFlight === 0 || nowMs - this.#silentSinceMs <= SILENCE_MS
  }

  /** Most impressions that the next call may carry. */
  limit(maxBatch: number, nowMs: number): number {
    return this.allowsParallelCalls(nowMs) ? maxBatch : 1
  }

  /** Registers a call. Check `waitMs` first. */
  acquire(nowMs: number): Permit {
    const permit = { isProbe: !this.allowsParallelCalls(nowMs), openings: this.#openings }
    if (permit.isProbe) this.#probe = permit
    if (this.#inFlight === 0) this.#silentSinceMs = nowMs
    this.#inFlight += 1
    return permit
  }

  /** @param retryAfterMs how long the network asks to wait */
  release(permit: Permit, result: CallResult, nowMs: number, retryAfterMs = 0): void {
    if (permit === this.#probe) this.#probe = undefined
    this.#inFlight -= 1
    if (result === 'unsent') return
    if (result !== 'ambiguous') this.#silentSinceMs = nowMs
    const waitMs = Math.min(retryAfterMs, this.#longestWaitMs)
    if (permit.openings !== this.#openings) this.#onLateResult(result, nowMs, waitMs)
    else if (result === 'answered') this.#onSuccess(nowMs)
    else this.#onFailure(result, nowMs, waitMs)
  }

  #onFailure(result: CallResult, nowMs: number, waitMs: number): void {
    this.#failuresInARow += 1
    this.#suspectsInARow = result === 'suspect' ? this.#suspectsInARow + 1 : 0
    this.#remember(true)
    if (result === 'misconfigured' || this.#isEverythingSuspect()) {
      this.#open(nowMs, MISCONFIGURED_MS)
      this.#isPaused = true
    } else if (result === 'paused' || this.#isOpen || this.#isFailureTheRule(result)) {
      this.#open(nowMs, waitMs)
      this.#isPaused = result === 'paused'
    }
  }

  /**
   * Of the calls in flight when the breaker opened, only the first counts as a failure. Otherwise
   * the wait would be the longest of many random backoffs, which is no jitter. A wait that the
   * network asks for is respected all the same.
   */
  #onLateResult(result: CallResult, nowMs: number, askedMs: number): void {
    // A probe in flight says more about the key than an older call.
    if (result === 'misconfigured' && this.#probe) return
    const waitMs = result === 'misconfigured' ? MISCONFIGURED_MS : askedMs
    if (this.#isOpen && result !== 'answered') this.#stayOpenUntil(nowMs + waitMs)
    else if (result === 'paused' && waitMs > 0) this.#open(nowMs, waitMs)
    if (result === 'paused' || result === 'misconfigured') this.#isPaused = true
  }

  #onSuccess(nowMs: number): void {
    if (this.#isOpen) this.#recent = []
    else this.#remember(false)
    // A late answer may have asked for a longer wait since the probe was sent.
    this.#isOpen = this.#isOpen && nowMs < this.#probeAtMs
    this.#openingsInARow = 0
    this.#failuresInARow = 0
    this.#suspectsInARow = 0
    this.#hasSucceeded = true
    // Calls are no longer alone, so the next one that is need not wait for this one.
    this.#probe = undefined
  }

  /** A gateway that refuses the first call, or call after call, refuses the key or the base URL. */
  #isEverythingSuspect(): boolean {
    if (this.#suspectsInARow === 0) return false
    return !this.#hasSucceeded || this.#isOpen || this.#suspectsInARow >= SUSPECTS_IN_A_ROW
  }

  #open(nowMs: number, waitMs: number): void {
    this.#isOpen = true
    this.#openings += 1
    this.#openingsInARow += 1
    this.#probe = undefined
    const backoffMs = jitteredBackoffMs(this.#openingsInARow, this.#random)
    this.#stayOpenUntil(nowMs + Math.max(waitMs, backoffMs))
  }

  #stayOpenUntil(untilMs: number): void {
    this.#probeAtMs = Math.max(this.#probeAtMs, untilMs)
  }

  #isFailureTheRule(result: CallResult): boolean {
    // Suspect calls have a rule of their own.
    if (result === 'suspect') return false
    if (this.#failuresInARow >= FAILURES_IN_A_ROW) return true
    const failed = this.#recent.filter(Boolean).length
    return this.#recent.length === RECENT_CALLS && failed * 2 > RECENT_CALLS
  }

  #remember(hasFailed: boolean): void {
    this.#recent.push(hasFailed)
    if (this.#recent.length > RECENT_CALLS) this.#recent.shift()
  }
}
