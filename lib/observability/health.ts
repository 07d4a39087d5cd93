import type { Clock } from '../clock.js'
import type { Verdict } from '../networks/verdict.js'
import { addReasonAddress, DROPPED, REASONS, type Reason } from '../reason.js'

/** `closed` lets calls through, `open` blocks them, `half-open` lets one probe through. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** What is left of one of a network's rate limits. */
export interface QuotaLeft {
  /** The length of the window, in milliseconds. */
  readonly windowMs: number
  /** Calls that the network allows in any `windowMs` milliseconds. */
  readonly limit: number
  /** How many of them may be sent now, as far as this process knows. */
  readonly remaining: number
}

/** Whether a network accepts impressions now. */
export interface NetworkHealth {
  /**
   * - `ok`: calls are accepted, or none was needed yet.
   * - `degraded`: impressions wait, or some calls fail: the latest one failed, the network asks to
   *   wait, or its quota is used up.
   * - `down`: nothing is delivered: the circuit breaker is open because calls fail or the key is
   *   wrong, so much waits that new impressions are dropped, or the tracker is closed.
   */
  readonly status: 'ok' | 'degraded' | 'down'
  /** Since when, as far as it was noticed: an ISO 8601 date, which reads well in JSON and logs. */
  readonly since: string
  /** A code and a sentence that a person can act on. */
  readonly reason: Reason
  /** The circuit breaker's state. */
  readonly circuit: CircuitState
  /** How long the oldest pending impression has waited, in milliseconds; 0 if none is pending. */
  readonly oldestPendingMs: number
  /**
   * One entry for each window of the network's rate limits, shortest first; empty if it has none. Of
   * processes that share an outbox, only the one that sends knows what is left.
   */
  readonly quota: readonly QuotaLeft[]
}

/** By network name. */
export type Health = Readonly<Record<string, NetworkHealth>>

/** The parts of a delivery that health is about. */
export interface HealthSources {
  readonly clock: Pick<Clock, 'now' | 'wallNow'>
  readonly breaker: {
    state(nowMs: number): CircuitState
    /** Whether the latest call failed. */
    readonly isFailing: boolean
  }
  readonly quota: {
    /** Milliseconds until a call is let through. */
    waitMs(nowMs: number): number
    left(nowMs: number): readonly QuotaLeft[]
  }
  readonly pending: {
    readonly isClosed: boolean
    readonly isFull: boolean
    readonly isAnyWaiting: boolean
    /** By `Clock.now()`; `undefined` if nothing is pending. */
    readonly oldestTrackedAtMs: number | undefined
  }
}

type Assessment = Pick<NetworkHealth, 'status' | 'reason'>

const SUCCESSES: ReadonlySet<Verdict['kind']> = new Set(['delivered', 'rejected', 'split'])

/** Watches one network's delivery. */
export class HealthMonitor {
  readonly #sources: HealthSources
  #current: Assessment = { status: 'ok', reason: REASONS.notCalledYet }
  #sinceMs: number
  /** How the latest call ended. */
  #latest: Assessment = this.#current

  constructor(sources: HealthSources) {
    this.#sources = sources
    this.#sinceMs = sources.clock.wallNow()
  }

  /** Call it when the circuit breaker knows about the call. */
  onCallEnd(verdict: Verdict & { readonly reason: Reason }): void {
    if (SUCCESSES.has(verdict.kind)) {
      this.#latest = { status: 'ok', reason: REASONS.answering }
    } else {
      // A network that says how long to wait works as it should.
      const isPause = verdict.kind === 'retry' && verdict.retryAfterMs !== undefined
      this.#latest = { status: isPause ? 'degraded' : 'down', reason: verdict.reason }
    }
    this.#update()
  }

  read(): NetworkHealth {
    const { clock, breaker, quota, pending } = this.#sources
    this.#update()
    const nowMs = clock.now()
    const { status, reason } = this.#current
    return {
      status,
      since: new Date(this.#sinceMs).toISOString(),
      reason: addReasonAddress(reason),
      circuit: breaker.state(nowMs),
      oldestPendingMs: Math.max(0, Math.round(nowMs - (pending.oldestTrackedAtMs ?? nowMs))),
      quota: quota.left(nowMs),
    }
  }

  #update(): void {
    const assessment = this.#assess()
    if (assessment.status !== this.#current.status) this.#sinceMs = this.#sources.clock.wallNow()
    this.#current = assessment
  }

  #assess(): Assessment {
    const { clock, breaker, quota, pending } = this.#sources
    const nowMs = clock.now()
    if (pending.isClosed) return { status: 'down', reason: REASONS.trackerClosed }
    if (pending.isFull) return { status: 'down', reason: DROPPED.overflow }
    if (breaker.state(nowMs) !== 'closed') return this.#latest
    if (breaker.isFailing) return { ...this.#latest, status: 'degraded' }
    if (pending.isAnyWaiting && quota.waitMs(nowMs) > 0) {
      return { status: 'degraded', reason: REASONS.quotaUsedUp }
    }
    return {
      status: 'ok',
      reason: this.#latest.status === 'ok' ? this.#latest.reason : REASONS.answering,
    }
  }
}

/** The health of networks that are never called. */
export function createDisabledHealth(
  networks: readonly { readonly name: string }[],
  wallNowMs: number,
): Health {
  const since = new Date(wallNowMs).toISOString()
  const health: NetworkHealth = {
    status: 'ok',
    since,
    reason: addReasonAddress(REASONS.disabled),
    circuit: 'closed',
    oldestPendingMs: 0,
    quota: [],
  }
  return Object.fromEntries(networks.map(({ name }) => [name, health]))
}
