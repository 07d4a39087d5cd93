import { type Clock, waitAtMost } from '../clock.js'
import type { Account, Statistics } from '../counting/statistics.js'
import { describeError } from '../errors.js'
import type { Drop, Impression } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network, NetworkRequest } from '../networks/network.js'
import type { Verdict } from '../networks/verdict.js'
import { buildRequest, judgeCall } from './call/safe-network.js'
import type { CallEnd, Transport } from './call/transport.js'
import { type CallResult, CircuitBreaker, type Permit } from './circuit-breaker.js'
import type { Claim, Outbox, Receipt } from './outbox/outbox.js'
import { RetryingOutbox } from './outbox/retrying-outbox.js'
import { PendingImpressions } from './pending-impressions.js'
import { type BatchKind, Quota, type QuotaUse } from './rate-limit/quota.js'
import { type Batch, RetryBatches, splitByAge } from './retry-batches.js'
import { Settlement } from './settlement.js'

export interface DeliveryDependencies {
  readonly network: Network
  readonly account: Account
  readonly books: Statistics
  readonly outbox: Outbox
  readonly transport: Transport
  /** Most impressions pending. */
  readonly maxPending: number
  /** How long an impression may wait unsent. */
  readonly maxAgeMs: number
  readonly clock: Clock
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number
  readonly log: Log
}

/** A call under way, with what it was granted. */
interface OutgoingCall {
  readonly batch: Batch
  readonly request: NetworkRequest
  readonly pass: Permit
  readonly spending: QuotaUse
}

const RESULTS: Readonly<Record<Verdict['kind'], CallResult>> = {
  delivered: 'answered',
  rejected: 'answered',
  split: 'answered',
  retry: 'refused',
  misconfigured: 'misconfigured',
  uncertain: 'ambiguous',
}

/** How long an outbox that gave nothing though something waits is left alone. */
const EMPTY_CLAIM_PAUSE_MS = 1_000

/** How long `close` waits for an outbox to keep its promises, or to be tried again. */
const CLOSE_PATIENCE_MS = 2_000

/** One network's delivery: outbox → gate and budget → batch → transport → verdict. */
export class Delivery {
  readonly #parts: DeliveryDependencies
  readonly #outbox: RetryingOutbox
  readonly #gate: CircuitBreaker
  readonly #budget: Quota
  readonly #conclusions: PendingImpressions
  readonly #inHand = new RetryBatches()
  readonly #settlement: Settlement
  #inFlight = 0
  #isClaiming = false
  #isDrainDue = false
  #isExpiryDue = false
  #cancelWake = () => {}
  #hurries = 0
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(parts: DeliveryDependencies) {
    const { network, account, books, outbox, clock, log } = parts
    this.#parts = parts
    this.#gate = new CircuitBreaker(parts.random)
    this.#budget = new Quota(network.windows, network.maxBatch, parts.maxAgeMs)
    this.#conclusions = new PendingImpressions(network.name, account, books, log)
    this.#outbox = new RetryingOutbox({
      network: network.name,
      outbox,
      clock,
      log,
      onReceipt: (impression, receipt) => this.#acknowledge(impression, receipt),
      onResume: () => this.#stored(),
    })
    this.#settlement = new Settlement({
      network,
      outbox: this.#outbox,
      inHand: this.#inHand,
      conclusions: this.#conclusions,
      clock,
      log,
      onReady: () => this.#stored(),
    })
    this.#outbox.recover((lost) => {
      this.#conclusions.adopt(lost)
      this.#conclusions.end(lost, 'uncertain', 'its process died')
      if (this.#outbox.waiting === 0) return
      this.#drainSoon()
      this.#expireLater()
    })
  }

  /** Takes an impression, to be sent as soon as the network may be called. */
  push(impression: Impression): void {
    this.#conclusions.begin(impression)
    if (this.#isClosed) {
      this.#conclusions.drop([impression], 'closed')
      return
    }
    // An outbox that fails or does not answer does not say so.
    if (this.#parts.account.pending > this.#parts.maxPending) {
      this.#conclusions.drop([impression], 'overflow')
      return
    }
    this.#outbox.append(impression)
    this.#expireLater()
  }

  /** Resolves when all that is pending now has its outcome; keeps the process alive until then. */
  flush(): Promise<void> {
    // Twice the age, for expiry is looked for now and then, and the last call takes its time.
    return this.#conclusions.flush(this.#parts.clock, this.#parts.maxAgeMs * 2)
  }

  /** The process is about to end: what a quota allows leaves now, and is no longer spread over it. */
  suspendPacing(): () => void {
    this.#hurries += 1
    this.#drainSoon()
    return () => {
      this.#hurries -= 1
    }
  }

  /**
   * Gives up: what was never sent is `dropped: closed`, what is under way is cut off. Calling it
   * again returns the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#giveUpAll()
    return this.#closing
  }

  async #giveUpAll(): Promise<void> {
    const { transport, clock } = this.#parts
    this.#isClosed = true
    this.#settlement.close()
    this.#cancelWake()
    this.#expire(Number.POSITIVE_INFINITY, 'closed')
    await transport.destroy()
    await waitAtMost(clock, CLOSE_PATIENCE_MS, this.#outbox.whenIdle())
  }

  #acknowledge(impression: Impression, receipt: Receipt): void {
    if (receipt === 'overflow') {
      this.#conclusions.drop([impression], 'overflow')
    } else if (receipt === 'duplicate') {
      const reason = 'another process has counted it in this page load'
      this.#conclusions.end([impression], 'duplicate', reason)
    } else {
      this.#stored()
    }
  }

  /** More may wait in the outbox than before. */
  #stored(): void {
    if (this.#isClosed) this.#expire(Number.POSITIVE_INFINITY, 'closed')
    else this.#drainSoon()
  }

  #drainSoon(): void {
    if (this.#isDrainDue || this.#isClosed) return
    this.#isDrainDue = true
    this.#parts.clock.defer(() => {
      this.#isDrainDue = false
      this.#drain()
    })
  }

  /** Sends all that may be sent now, and wakes up again when more may. */
  #drain(): void {
    const { network, clock } = this.#parts
    this.#cancelWake()
    while (this.#mayClaim()) {
      const nowMs = clock.now()
      const waitMs = this.#waitMs(nowMs)
      if (waitMs > 0) {
        // A probe under way has no time of its own: its end drains.
        if (Number.isFinite(waitMs)) this.#cancelWake = clock.after(waitMs, () => this.#drain())
        return
      }
      const limit = this.#gate.limit(network.maxBatch, nowMs)
      const kind = this.#nextKind(nowMs)
      const batch = kind === 'half' ? this.#inHand.take(limit) : undefined
      if (batch) this.#send(batch, kind)
      else this.#claim(limit, kind)
    }
  }

  #mayClaim(): boolean {
    const { network } = this.#parts
    if (this.#isClosed || this.#isClaiming || this.#inFlight >= network.connections) return false
    return this.#inHand.isReady || this.#outbox.waiting > 0
  }

  /** Milliseconds until gate, budget and pace let the next call leave. */
  #waitMs(nowMs: number): number {
    const waitMs = this.#closedForMs(nowMs)
    if (waitMs > 0 || this.#hurries > 0) return waitMs
    const waitedMs = nowMs - (this.#outbox.nextTrackedAtMs ?? nowMs)
    return this.#budget.pacedWaitMs(nowMs, this.#nextKind(nowMs), waitedMs)
  }

  /** Milliseconds until gate and budget let any call leave. */
  #closedForMs(nowMs: number): number {
    return Math.max(this.#gate.waitMs(nowMs), this.#budget.waitMs(nowMs))
  }

  /** What is in hand goes first, but not as a probe: it may be what the network fails on. */
  #nextKind(nowMs: number): BatchKind {
    const isProbe = !this.#gate.isOpen(nowMs)
    if (this.#inHand.isReady && !(isProbe && this.#outbox.waiting > 0)) return 'half'
    return this.#outbox.hasFullBatch ? 'full' : 'partial'
  }

  #claim(limit: number, kind: BatchKind): void {
    this.#isClaiming = true
    this.#outbox.claim(limit, (claim) => {
      if (!claim && this.#outbox.waiting > 0) {
        this.#parts.clock.after(EMPTY_CLAIM_PAUSE_MS, () => {
          this.#isClaiming = false
          this.#drainSoon()
        })
        return
      }
      this.#isClaiming = false
      if (claim) this.#take(claim, kind)
      // A claim that was promised has left the loop that asked for it.
      this.#drainSoon()
    })
  }

  /** A claim may have been long promised: gate, budget and delivery may have closed meanwhile. */
  #take(claim: Claim, kind: BatchKind): void {
    const { network, clock } = this.#parts
    const { impressions } = claim
    this.#conclusions.adopt(impressions)
    const nowMs = clock.now()
    const mayLeave = !this.#isClosed && this.#closedForMs(nowMs) === 0
    const limit = mayLeave ? this.#gate.limit(network.maxBatch, nowMs) : 0
    if (impressions.length > limit) {
      this.#settlement.sendAgain({ claim, impressions: impressions.slice(limit) })
    }
    if (limit > 0) this.#send({ claim, impressions: impressions.slice(0, limit) }, kind)
  }

  #send(claimed: Batch, kind: BatchKind): void {
    const { network, transport, clock, maxAgeMs } = this.#parts
    const nowMs = clock.now()
    const [old, batch] = splitByAge(claimed, nowMs - maxAgeMs)
    if (old) this.#settlement.giveUp(old, 'expired')
    if (!batch) return
    let request: NetworkRequest
    try {
      request = buildRequest(network, batch.impressions)
    } catch (thrown) {
      this.#settlement.split(batch, `request() failed: ${describeError(thrown)}`)
      return
    }
    for (const impression of batch.impressions) impression.attempts += 1
    const pass = this.#gate.acquire(nowMs)
    const spending = this.#budget.spend(nowMs, kind, batch.impressions.length)
    const call = { batch, request, pass, spending }
    this.#inFlight += 1
    transport.send(request, (end) => this.#receive(call, end))
  }

  #receive({ batch, request, pass, spending }: OutgoingCall, end: CallEnd): void {
    const { network, clock, log } = this.#parts
    const nowMs = clock.now()
    this.#inFlight -= 1
    const verdict = judgeCall(network, end, request, log)
    this.#budget.settle(spending, nowMs, 'answer' in end ? end.answer : undefined)
    const { kind } = verdict
    const result = 'error' in end && kind === 'split' ? 'unsent' : RESULTS[kind]
    const retryAfterMs = kind === 'retry' ? verdict.retryAfterMs : undefined
    this.#gate.release(pass, result, nowMs, retryAfterMs)
    this.#settlement.carryOut(batch, verdict, 'answer' in end && end.answer.status >= 500)
    this.#drainSoon()
  }

  /** Looks for expired impressions now and then, for as long as any are left. */
  #expireLater(): void {
    const { clock, account, maxAgeMs } = this.#parts
    if (this.#isExpiryDue) return
    this.#isExpiryDue = true
    clock.after(maxAgeMs / 10, () => {
      this.#isExpiryDue = false
      this.#expire(clock.now() - maxAgeMs, 'expired')
      const isAnyLeft = account.pending > 0 || this.#outbox.waiting > 0
      if (isAnyLeft && !this.#isClosed) this.#expireLater()
    })
  }

  /** Gives up all that waits and was tracked before `beforeMs`. */
  #expire(beforeMs: number, reason: Drop): void {
    for (const batch of this.#inHand.expire(beforeMs)) this.#settlement.giveUp(batch, reason)
    this.#outbox.expire(beforeMs, (expired) => {
      this.#conclusions.adopt(expired)
      this.#conclusions.drop(expired, reason)
    })
  }
}
