import { type Clock, waitAtMost } from '../clock.js'
import type { NetworkStatistics } from '../counting/statistics.js'
import { describeError } from '../errors.js'
import type { Impression } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network, NetworkRequest } from '../networks/network.js'
import { HealthMonitor, type NetworkHealth } from '../observability/health.js'
import { buildRequest, judgeCall } from './call/safe-network.js'
import type { CallEnd, Transport } from './call/transport.js'
import { toCallResult } from './call-result.js'
import { type CallResult, CircuitBreaker, type Permit } from './circuit-breaker.js'
import type { Claim, Fleet, Outbox } from './outbox/outbox.js'
import { PendingImpressions } from './pending-impressions.js'
import { type BatchKind, Quota, type QuotaUse } from './rate-limit/quota.js'
import { type Batch, splitByAge } from './retry-batches.js'
import { Settlement } from './settlement.js'

export interface DeliveryDependencies {
  readonly network: Network
  readonly statistics: NetworkStatistics
  readonly outbox: Outbox
  readonly transport: Transport
  /** Most impressions pending or held. */
  readonly maxPending: number
  /** How long an impression may wait unsent. */
  readonly maxAgeMs: number
  /** How many processes are known to share the network's quota. Default: one. */
  readonly processes?: number
  readonly clock: Clock
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number
  readonly log: Log
}

/** A call in flight. */
interface OutgoingCall {
  readonly batch: Batch
  readonly kind: BatchKind
  readonly request: NetworkRequest
  readonly permit: Permit
  readonly quotaUse: QuotaUse
}

/** The pause after an outbox gave no claim although impressions wait. */
const EMPTY_CLAIM_PAUSE_MS = 1_000

/** How long `close` waits for connections to end and for the outbox. */
const CLOSE_TIMEOUT_MS = 2_000

/**
 * One network's delivery: pending impressions → circuit breaker and quota → batch → transport →
 * verdict → settlement.
 */
export class Delivery {
  readonly #dependencies: DeliveryDependencies
  readonly #pending: PendingImpressions
  readonly #breaker: CircuitBreaker
  readonly #quota: Quota
  readonly #settlement: Settlement
  readonly #health: HealthMonitor
  #inFlight = 0
  #isClaiming = false
  #isDrainScheduled = false
  #cancelWakeUp = () => {}
  #pacingSuspensions = 0
  #closing: Promise<void> | undefined

  constructor(dependencies: DeliveryDependencies) {
    const { network, maxAgeMs, processes, random, log } = dependencies
    this.#dependencies = dependencies
    this.#breaker = new CircuitBreaker(random, longestWaitMs(network, maxAgeMs))
    this.#quota = new Quota(network.windows, network.maxBatch, maxAgeMs, processes)
    this.#pending = new PendingImpressions({
      ...dependencies,
      network: network.name,
      onReady: () => this.#scheduleDrain(),
      onCallHistory: (agesMs) => this.#quota.restore(agesMs, dependencies.clock.now()),
    })
    this.#settlement = new Settlement({ network, pending: this.#pending, random, log })
    this.#health = new HealthMonitor({
      clock: dependencies.clock,
      breaker: this.#breaker,
      quota: this.#quota,
      pending: this.#pending,
    })
    this.#pending.recover()
  }

  /** The network's name. */
  get network(): string {
    return this.#dependencies.network.name
  }

  /** `undefined` unless several processes share the outbox. */
  get fleet(): Fleet | undefined {
    return this.#pending.fleet
  }

  /** Accepts an impression, to be sent as soon as the network may be called. */
  push(impression: Impression): void {
    this.#pending.add(impression)
  }

  /** Whether `maxPending` impressions are pending or held. */
  get isFull(): boolean {
    return this.#pending.isFull
  }

  health(): NetworkHealth {
    return this.#health.read()
  }

  /**
   * Resolves to `true` when everything that is pending now has its outcome, and to `false` after
   * `timeoutMs`. Keeps the process alive until then.
   */
  flush(timeoutMs: number): Promise<boolean> {
    return this.#pending.flush(timeoutMs)
  }

  /** Sends as fast as the quota allows, without spreading calls over its windows. */
  suspendPacing(): void {
    this.#pacingSuspensions += 1
    this.#scheduleDrain()
  }

  /** Ends one `suspendPacing`. */
  resumePacing(): void {
    this.#pacingSuspensions -= 1
  }

  /**
   * Drops what was never sent and aborts the calls in flight: when it resolves, every impression
   * has its outcome and nothing more is sent. Calling it again returns the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#abortEverything()
    return this.#closing
  }

  async #abortEverything(): Promise<void> {
    const { transport, clock } = this.#dependencies
    this.#cancelWakeUp()
    this.#pending.close()
    const left = transport.destroy().then(() => this.#pending.leaveOutbox())
    await waitAtMost(clock, CLOSE_TIMEOUT_MS, left)
    this.#pending.dropRest()
  }

  #scheduleDrain(): void {
    if (this.#isDrainScheduled || this.#pending.isClosed) return
    this.#dependencies.clock.defer(() => this.#drain())
    // Last: were it set and nothing scheduled, nothing would ever be sent again.
    this.#isDrainScheduled = true
  }

  /** Sends everything that may be sent now, and wakes up again when more may be sent. */
  #drain(): void {
    const { network, clock } = this.#dependencies
    this.#cancelWakeUp()
    this.#pending.store()
    // Only now: what the outbox accepts at once is sent below, and needs no further drain.
    this.#isDrainScheduled = false
    while (this.#canSend()) {
      const nowMs = clock.now()
      const waitMs = this.#waitMs(nowMs)
      if (waitMs > 0) {
        // After a probe or a call in flight, `#onCallEnd` drains; `onReady` when a call may begin.
        if (Number.isFinite(waitMs)) this.#cancelWakeUp = clock.after(waitMs, () => this.#drain())
        return
      }
      const limit = this.#breaker.limit(network.maxBatch, nowMs)
      const kind = this.#nextKind(nowMs)
      const retry = kind === 'retry' ? this.#pending.takeRetry(limit) : undefined
      if (retry) this.#send(retry, kind)
      else this.#claim(this.#claimSize(limit, nowMs), kind, this.#isMixed(kind, nowMs))
    }
  }

  /**
   * Whether the next batch may mix batch keys: when impressions would expire because there are more
   * keys than calls, or when everything leaves at once although quota may run short. Viewers choose
   * some keys (search queries), so one viewer could otherwise use up the calls of all others.
   */
  #isMixed(kind: BatchKind, nowMs: number): boolean {
    if (!this.#dependencies.network.mixesBatchKeys || kind !== 'partial') return false
    const waitedMs = this.#waitedMs(nowMs)
    const isHurried = this.#pacingSuspensions > 0
    if (isHurried && this.#quota.pacedWaitMs(nowMs, kind, waitedMs) > 0) return true
    return this.#quota.isUrgent(waitedMs)
  }

  /** How long the impression that is claimed next has waited. */
  #waitedMs(nowMs: number): number {
    return nowMs - (this.#pending.nextTrackedAtMs ?? nowMs)
  }

  #canSend(): boolean {
    const { connections } = this.#dependencies.network
    if (this.#pending.isClosed || this.#isClaiming || this.#inFlight >= connections) return false
    return this.#pending.isAnyWaiting
  }

  /** Milliseconds until circuit breaker, quota and pacing let the next call through. */
  #waitMs(nowMs: number): number {
    const kind = this.#nextKind(nowMs)
    // A claim may go on: with its answer, the outbox knows the calls before it.
    if (kind === 'retry' && !this.#mayCall) return Number.POSITIVE_INFINITY
    const waitMs = this.#blockedForMs(nowMs)
    if (waitMs > 0 || this.#pacingSuspensions > 0) return waitMs
    return this.#quota.pacedWaitMs(nowMs, kind, this.#waitedMs(nowMs))
  }

  /** Whether the outbox lets a call begin. */
  get #mayCall(): boolean {
    return this.#pending.fleet?.mayCall ?? true
  }

  /** Milliseconds until circuit breaker and quota let any call through. */
  #blockedForMs(nowMs: number): number {
    return Math.max(this.#breaker.waitMs(nowMs), this.#quota.waitMs(nowMs))
  }

  /** Retries go first, but not as a probe: they may be what the network fails on. */
  #nextKind(nowMs: number): BatchKind {
    const isProbe = !this.#breaker.allowsParallelCalls(nowMs)
    if (this.#pending.hasRetry && !(isProbe && this.#pending.isAnyInOutbox)) return 'retry'
    return this.#pending.hasFullBatch ? 'full' : 'partial'
  }

  #claim(max: number, kind: BatchKind, isMixed: boolean): void {
    this.#isClaiming = true
    this.#pending.claim(max, isMixed, (claim) => {
      if (!claim && this.#pending.isAnyInOutbox) {
        this.#dependencies.clock.after(EMPTY_CLAIM_PAUSE_MS, () => {
          this.#isClaiming = false
          this.#scheduleDrain()
        })
        return
      }
      this.#isClaiming = false
      if (claim) this.#sendClaim(claim, kind)
      // An asynchronous claim has left the loop in `#drain`.
      this.#scheduleDrain()
    })
  }

  /**
   * How many impressions to claim for calls of `limit`. A claim from a shared outbox takes a while, so
   * one claim is for all free connections, unless quota or the circuit breaker may end it.
   */
  #claimSize(limit: number, nowMs: number): number {
    const { connections, windows } = this.#dependencies.network
    const isUnlimited = windows.length === 0 && this.#breaker.allowsParallelCalls(nowMs)
    return this.#pending.fleet && isUnlimited ? limit * (connections - this.#inFlight) : limit
  }

  /** An asynchronous claim takes time: breaker, quota and delivery may have changed meanwhile. */
  #sendClaim(claim: Claim, kind: BatchKind): void {
    const { network, clock } = this.#dependencies
    let rest = claim.impressions
    while (rest.length > 0 && this.#isFree(clock.now())) {
      const limit = this.#breaker.limit(network.maxBatch, clock.now())
      this.#send({ claim, impressions: rest.slice(0, limit) }, kind)
      rest = rest.slice(limit)
    }
    if (rest.length > 0) this.#pending.requeue({ claim, impressions: rest })
  }

  /** Whether one more call may be sent now. */
  #isFree(nowMs: number): boolean {
    const { connections } = this.#dependencies.network
    if (this.#pending.isClosed || this.#inFlight >= connections || !this.#mayCall) return false
    return this.#blockedForMs(nowMs) === 0
  }

  #send(claimed: Batch, kind: BatchKind): void {
    const { network, transport, clock, maxAgeMs } = this.#dependencies
    const nowMs = clock.now()
    const [expired, batch] = splitByAge(this.#pending.keepOwn(claimed), nowMs - maxAgeMs)
    if (expired) this.#pending.drop(expired, 'expired')
    if (!batch) return
    if (this.#pending.fleet?.isLeaseValid === false) {
      // Others may have taken over from a process that stood still: the outbox knows.
      this.#pending.requeue(batch)
      return
    }
    let request: NetworkRequest
    try {
      request = buildRequest(network, batch.impressions)
    } catch (thrown) {
      this.#settlement.split(batch, `unsendable: request() failed: ${describeError(thrown)}`)
      return
    }
    for (const impression of batch.impressions) impression.attempts += 1
    const permit = this.#breaker.acquire(nowMs)
    const quotaUse = this.#quota.use(nowMs, kind, batch.impressions.length)
    const call = { batch, kind, request, permit, quotaUse }
    this.#inFlight += 1
    this.#pending.fleet?.onCall()
    transport.send(request, (end) => this.#onCallEnd(call, end))
  }

  #onCallEnd({ batch, kind, request, permit, quotaUse }: OutgoingCall, end: CallEnd): void {
    const { network, clock, log } = this.#dependencies
    const nowMs = clock.now()
    this.#inFlight -= 1
    const answer = 'answer' in end ? end.answer : undefined
    const verdict = judgeCall(network, end, request, log)
    this.#quota.settle(quotaUse, nowMs, answer)
    const retryAfterMs = verdict.kind === 'retry' ? verdict.retryAfterMs : undefined
    const result = toCallResult(verdict, answer)
    // A batch that was isolated before says nothing new about the others.
    const isNews = result !== 'suspect' || kind !== 'retry' || this.#breaker.isOpen
    this.#breaker.release(permit, isNews ? result : 'unsent', nowMs, retryAfterMs)
    if (isNews) this.#health.onCallEnd(verdict)
    // Nor does one that was refused before say anything new to other processes.
    if (result !== 'suspect' || isFirstAttempt(batch)) this.#sharePause(result, nowMs)
    this.#settlement.settle(batch, verdict, {
      isServerError: answer !== undefined && answer.status >= 500,
      blockedForMs: this.#breaker.blockedForMs(nowMs),
    })
    this.#scheduleDrain()
  }

  /** A pause that the network asks for, or a wrong key, holds for every process. */
  #sharePause(result: CallResult, nowMs: number): void {
    const { fleet } = this.#pending
    const pauseMs = this.#breaker.pausedForMs(nowMs)
    if (result !== 'answered') {
      if (pauseMs > 0) fleet?.onCallEnd(pauseMs)
    } else if (!this.#breaker.isOpen) {
      // An older call that succeeds while it is open does not end the pause.
      fleet?.onCallEnd(0)
    }
  }
}

function isFirstAttempt({ impressions }: Batch): boolean {
  return impressions.some(({ attempts }) => attempts === 1)
}

/** The longest window; without any, as long as an impression may wait. */
function longestWaitMs({ windows }: Network, maxAgeMs: number): number {
  return windows.length > 0 ? Math.max(...windows.map(({ windowMs }) => windowMs)) : maxAgeMs
}
