import type { Account, Books } from '../books.js'
import type { Clock } from '../clock.js'
import { messageOf, oneLine } from '../errors.js'
import type { Drop, Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network, NetworkRequest } from '../networks/network.js'
import { Budget, type Spending } from './budget.js'
import { Conclusions } from './conclusions.js'
import { type CallResult, Gate, type Pass } from './gate.js'
import type { Awaitable, Claim, Outbox, Receipt } from './outbox.js'
import { redact } from './redact.js'
import type { CallEnd, Transport } from './transport.js'
import { type Verdict, verdictOnError, verdictOnStatus } from './verdict.js'

export interface DeliveryParts {
  readonly network: Network
  readonly account: Account
  readonly books: Books
  readonly outbox: Outbox
  readonly transport: Transport
  /** How long an impression may wait unsent. */
  readonly maxAgeMs: number
  readonly clock: Clock
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number
  readonly log: Log
}

/** Impressions of one claim: all of it, or the part that is left to be sent. */
interface Batch {
  readonly claim: Claim
  readonly impressions: readonly Impression[]
}

/** A call under way, with what it was granted. */
interface Call {
  readonly batch: Batch
  readonly request: NetworkRequest
  readonly pass: Pass
  readonly spending: Spending
}

const RESULTS: Readonly<Record<Verdict['kind'], CallResult>> = {
  delivered: 'answered',
  rejected: 'answered',
  split: 'answered',
  retry: 'refused',
  misconfigured: 'misconfigured',
  uncertain: 'ambiguous',
}

/** How long an outbox that failed is left alone. */
const OUTBOX_PAUSE_MS = 1_000

/** Waiting impressions become urgent at this share of the age at which they expire. */
const URGENT_SHARE = 0.25

/** One network's delivery: outbox → gate and budget → batch → transport → verdict. */
export class Delivery {
  readonly #parts: DeliveryParts
  readonly #gate: Gate
  readonly #budget: Budget
  readonly #conclusions: Conclusions
  /** Halves of batches that one bad item sank, sent before anything else. */
  readonly #halves: Batch[] = []
  /** What an outbox that failed has not taken yet. */
  #unstored: Impression[] = []
  #inFlight = 0
  #isClaiming = false
  #isDrainDue = false
  #isExpiryDue = false
  #cancelWake = () => {}
  #isClosed = false

  constructor(parts: DeliveryParts) {
    this.#parts = parts
    this.#gate = new Gate(parts.random)
    this.#budget = new Budget(parts.network.windows)
    this.#conclusions = new Conclusions(parts.network.name, parts.account, parts.books, parts.log)
    this.#ask(parts.outbox.recover(), (lost) => {
      for (const impression of lost) {
        parts.account.tracked += 1
        parts.books.conclude(parts.account, impression, 'uncertain', 'its process died')
      }
      if (parts.outbox.waiting > 0) this.#drainSoon()
    })
  }

  /** Takes an impression, to be sent as soon as the network may be called. */
  push(impression: Impression): void {
    this.#conclusions.begin(impression)
    if (this.#isClosed) this.#conclusions.drop([impression], 'closed')
    else this.#store(impression)
  }

  /** Resolves when all that is pending now has its outcome; keeps the process alive until then. */
  flush(): Promise<void> {
    return this.#conclusions.flush(this.#parts.clock, this.#parts.maxAgeMs)
  }

  /** Gives up: what was never sent is `dropped: closed`, what is under way is cut off. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelWake()
    const { outbox, transport } = this.#parts
    for (const batch of this.#halves.splice(0)) this.#giveUp(batch, 'closed')
    this.#conclusions.drop(this.#unstored.splice(0), 'closed')
    this.#ask(outbox.expire(Number.POSITIVE_INFINITY), (unsent) =>
      this.#conclusions.drop(unsent, 'closed'),
    )
    await transport.destroy()
  }

  #store(impression: Impression): void {
    this.#ask(
      this.#parts.outbox.append(impression),
      (receipt) => this.#acknowledge(impression, receipt),
      () => this.#unstored.push(impression),
    )
  }

  #acknowledge(impression: Impression, receipt: Receipt): void {
    if (receipt === 'overflow') {
      this.#conclusions.drop([impression], 'overflow')
    } else if (receipt === 'duplicate') {
      this.#conclusions.end(
        [impression],
        'duplicate',
        'another process has counted it in this page load',
      )
    } else {
      this.#drainSoon()
      this.#expireLater()
    }
  }

  /** Goes on with an outbox's answer: at once where it is there, else when its promise is kept. */
  #ask<Value>(
    answer: Awaitable<Value>,
    next: (value: Value) => void,
    failed: () => void = () => {},
  ): void {
    if (!(answer instanceof Promise)) {
      next(answer)
      return
    }
    answer.then(next, (thrown: unknown) => {
      const { network, log, clock } = this.#parts
      log.error(
        `outbox ${network.name}`,
        `${network.name}: the outbox failed: ${messageOf(thrown)}`,
      )
      failed()
      clock.after(OUTBOX_PAUSE_MS, () => {
        for (const impression of this.#unstored.splice(0)) this.#store(impression)
        this.#drainSoon()
      })
    })
  }

  #drainSoon(): void {
    if (this.#isDrainDue || this.#isClosed) return
    this.#isDrainDue = true
    this.#parts.clock.soon(() => {
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
      this.#claim(this.#gate.limit(network.maxBatch))
    }
  }

  #mayClaim(): boolean {
    const { network, outbox } = this.#parts
    const isFree = !this.#isClosed && !this.#isClaiming && this.#inFlight < network.connections
    return isFree && (this.#halves.length > 0 || outbox.waiting > 0)
  }

  /** Milliseconds until gate and budget let the next call leave. */
  #waitMs(nowMs: number): number {
    const { outbox, maxAgeMs } = this.#parts
    const waitMs = Math.max(this.#gate.waitMs(nowMs), this.#budget.waitMs(nowMs))
    if (waitMs > 0 || !this.#isNextPaced()) return waitMs
    const waitedMs = nowMs - (outbox.nextTrackedAtMs ?? nowMs)
    return this.#budget.pacedWaitMs(nowMs, waitedMs > maxAgeMs * URGENT_SHARE)
  }

  /** Whether the next call could still gain by waiting: a half and a full batch cannot. */
  #isNextPaced(): boolean {
    return this.#halves.length === 0 && !this.#parts.outbox.hasFullBatch
  }

  #claim(limit: number): void {
    const half = this.#halves.pop()
    if (half) {
      const { claim, impressions } = half
      if (impressions.length > limit) {
        this.#halves.push({ claim, impressions: impressions.slice(limit) })
      }
      this.#send({ claim, impressions: impressions.slice(0, limit) }, false)
      return
    }
    const isPaced = this.#isNextPaced()
    this.#isClaiming = true
    this.#ask(
      this.#parts.outbox.claim(limit),
      (claim) => {
        this.#isClaiming = false
        if (claim) this.#send({ claim, impressions: claim.impressions }, isPaced)
        // A claim that was promised has left the loop that asked for it.
        this.#drainSoon()
      },
      () => {
        this.#isClaiming = false
      },
    )
  }

  #send(claimed: Batch, isPaced: boolean): void {
    const { network, transport, clock } = this.#parts
    const nowMs = clock.now()
    const batch = this.#withoutExpired(claimed, nowMs)
    if (batch.impressions.length === 0) return
    let request: NetworkRequest
    try {
      request = network.request(batch.impressions.map(({ item }) => item))
    } catch (thrown) {
      this.#settle(batch, 'rejected', `request() threw: ${messageOf(thrown)}`)
      return
    }
    for (const impression of batch.impressions) impression.attempts += 1
    const pass = this.#gate.enter()
    const spending = this.#budget.spend(nowMs, isPaced)
    const call = { batch, request, pass, spending }
    this.#inFlight += 1
    transport.send(request, (end) => this.#receive(call, end))
  }

  #receive({ batch, request, pass, spending }: Call, end: CallEnd): void {
    const nowMs = this.#parts.clock.now()
    this.#inFlight -= 1
    const verdict = this.#judge(end, request)
    this.#budget.settle(spending, nowMs)
    if ('answer' in end) this.#budget.observe(end.answer, this.#inFlight)
    const retryAfterMs = verdict.kind === 'retry' ? verdict.retryAfterMs : undefined
    this.#gate.leave(pass, RESULTS[verdict.kind], nowMs, retryAfterMs)
    this.#carryOut(batch, verdict)
    this.#drainSoon()
  }

  #judge(end: CallEnd, { headers }: NetworkRequest): Verdict {
    if ('error' in end) {
      const verdict = verdictOnError(end.error, end.sent)
      return { ...verdict, reason: oneLine(redact(verdict.reason, headers)) }
    }
    let verdict: Verdict
    try {
      verdict = this.#parts.network.verdict(end.answer)
    } catch {
      verdict = verdictOnStatus(end.answer, undefined)
    }
    return { ...verdict, reason: oneLine(redact(verdict.reason, headers)) }
  }

  #carryOut(batch: Batch, verdict: Verdict): void {
    const { network, log } = this.#parts
    const { name } = network
    const { kind, reason } = verdict
    switch (kind) {
      case 'delivered':
        this.#settleDelivered(batch, verdict.count, reason)
        return
      case 'rejected':
        this.#settle(batch, 'rejected', reason)
        return
      case 'split':
        this.#split(batch, reason)
        return
      case 'uncertain':
        if (network.onUncertain === 'resend' && !this.#isClosed) this.#sendAgain(batch)
        else this.#settle(batch, 'uncertain', reason)
        return
      case 'retry':
        log.warn(
          `retry ${name}`,
          `${name} takes no impressions for now (${reason}): they are kept and sent again`,
        )
        this.#sendAgain(batch)
        return
      case 'misconfigured':
        log.error(
          `misconfigured ${name}`,
          `${name} refuses the key or the base URL (${reason}): nothing is counted until that is ` +
            'mended; impressions are kept meanwhile',
        )
        this.#sendAgain(batch)
    }
  }

  /** @param told how many of the batch the network says that it counted */
  #settleDelivered(batch: Batch, told: number | undefined, reason: string): void {
    const { claim, impressions } = batch
    if (told === undefined || told >= impressions.length) {
      this.#settle(batch, 'delivered', reason)
      return
    }
    this.#settle({ claim, impressions: impressions.slice(0, told) }, 'delivered', reason)
    const shortfall = `the network counted ${told} of the ${impressions.length} sent`
    this.#settle({ claim, impressions: impressions.slice(told) }, 'rejected', shortfall)
  }

  /** Halves a batch until the bad item stands alone: only that one is rejected. */
  #split(batch: Batch, reason: string): void {
    const { claim, impressions } = batch
    if (impressions.length === 1) {
      this.#settle(batch, 'rejected', reason)
    } else if (this.#isClosed) {
      this.#giveUp(batch, 'closed')
    } else {
      const half = impressions.length >> 1
      this.#halves.push(
        { claim, impressions: impressions.slice(half) },
        { claim, impressions: impressions.slice(0, half) },
      )
    }
  }

  #sendAgain(batch: Batch): void {
    if (this.#isClosed) {
      this.#giveUp(batch, 'closed')
      return
    }
    this.#ask(this.#parts.outbox.release(batch.claim, batch.impressions), () => {
      this.#drainSoon()
      this.#expireLater()
    })
  }

  /** These impressions have their outcome, and leave the outbox. */
  #settle({ claim, impressions }: Batch, outcome: Outcome, reason: string): void {
    this.#ask(this.#parts.outbox.settle(claim, impressions), () => {})
    this.#conclusions.end(impressions, outcome, reason)
  }

  #giveUp({ claim, impressions }: Batch, reason: Drop): void {
    this.#ask(this.#parts.outbox.settle(claim, impressions), () => {})
    this.#conclusions.drop(impressions, reason)
  }

  #withoutExpired(batch: Batch, nowMs: number): Batch {
    const { claim, impressions } = batch
    const oldestMs = nowMs - this.#parts.maxAgeMs
    if (impressions.every(({ trackedAtMs }) => trackedAtMs >= oldestMs)) return batch
    const expired = impressions.filter(({ trackedAtMs }) => trackedAtMs < oldestMs)
    this.#giveUp({ claim, impressions: expired }, 'expired')
    return { claim, impressions: impressions.filter(({ trackedAtMs }) => trackedAtMs >= oldestMs) }
  }

  /** Looks for expired impressions now and then, for as long as any wait behind a closed gate. */
  #expireLater(): void {
    const { clock, outbox, maxAgeMs } = this.#parts
    if (this.#isExpiryDue) return
    this.#isExpiryDue = true
    clock.after(maxAgeMs / 10, () => {
      this.#ask(outbox.expire(clock.now() - maxAgeMs), (expired) => {
        this.#isExpiryDue = false
        this.#conclusions.drop(expired, 'expired')
        if (outbox.waiting > 0 && !this.#isClosed) this.#expireLater()
      })
    })
  }
}
