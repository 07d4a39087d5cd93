import type { Account, Books } from '../books.js'
import type { Clock } from '../clock.js'
import { messageOf, oneLine } from '../errors.js'
import type { Drop, Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network, NetworkRequest } from '../networks/network.js'
import { Budget } from './budget.js'
import { type CallResult, Gate, type Pass } from './gate.js'
import type { Outbox } from './outbox.js'
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

type Batch = readonly Impression[]

/** A flush under way: it ends when all that was accepted up to `upTo` has its outcome. */
interface Flush {
  readonly upTo: number
  left: number
  readonly end: () => void
}

const RESULTS: Readonly<Record<Verdict['kind'], CallResult>> = {
  delivered: 'answered',
  rejected: 'answered',
  split: 'answered',
  retry: 'refused',
  misconfigured: 'misconfigured',
  uncertain: 'ambiguous',
}

/** One network's delivery: outbox → gate and budget → batch → transport → verdict. */
export class Delivery {
  readonly #parts: DeliveryParts
  readonly #gate: Gate
  readonly #budget: Budget
  readonly #flushes = new Set<Flush>()
  /** Halves of batches that one bad item sank: claimed, and sent before anything else. */
  readonly #halves: Batch[] = []
  #sequence = 0
  #inFlight = 0
  #isDrainDue = false
  #isExpiryDue = false
  #cancelWake = () => {}
  #isClosed = false

  constructor(parts: DeliveryParts) {
    this.#parts = parts
    this.#gate = new Gate(parts.random)
    this.#budget = new Budget(parts.network.windows)
  }

  /** Takes an impression, to be sent as soon as the network may be called. */
  push(impression: Impression): void {
    const { outbox, account } = this.#parts
    if (this.#isClosed) {
      this.#drop(impression, 'closed')
      return
    }
    if (!outbox.append(impression)) {
      this.#drop(impression, 'overflow')
      return
    }
    this.#sequence += 1
    impression.sequence = this.#sequence
    account.pending += 1
    this.#drainSoon()
    this.#expireLater()
  }

  /** Resolves when all that is pending now has its outcome; keeps the process alive until then. */
  async flush(): Promise<void> {
    const { account, clock, maxAgeMs } = this.#parts
    const left = account.pending
    if (left === 0) return
    await new Promise<void>((resolve) => {
      const release = clock.after(maxAgeMs, () => {}, 'keeps-alive')
      const end = () => {
        release()
        resolve()
      }
      this.#flushes.add({ upTo: this.#sequence, left, end })
    })
  }

  /** Gives up: what was never sent is `dropped: closed`, what is under way is cut off. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelWake()
    const { outbox, transport } = this.#parts
    const unsent = [...this.#halves.splice(0).flat()]
    outbox.settle(unsent.length)
    unsent.push(...outbox.expire(Number.POSITIVE_INFINITY))
    for (const impression of unsent) this.#dropPending(impression, 'closed')
    await transport.destroy()
  }

  #drainSoon(): void {
    if (this.#isDrainDue) return
    this.#isDrainDue = true
    this.#parts.clock.soon(() => {
      this.#isDrainDue = false
      this.#drain()
    })
  }

  /** Sends all that may be sent now, and wakes up again when more may. */
  #drain(): void {
    const { network, outbox, clock } = this.#parts
    this.#cancelWake()
    while (this.#hasWork() && this.#inFlight < network.connections) {
      const nowMs = clock.now()
      const waitMs = Math.max(this.#gate.waitMs(nowMs), this.#budget.waitMs(nowMs))
      if (waitMs > 0) {
        // A probe under way has no time of its own: its end drains.
        if (Number.isFinite(waitMs)) this.#cancelWake = clock.after(waitMs, () => this.#drain())
        return
      }
      const limit = this.#gate.limit(network.maxBatch)
      const batch = this.#claimHalf(limit) ?? outbox.claim(limit)
      this.#send(this.#dropExpired(batch, nowMs), nowMs)
    }
  }

  #hasWork(): boolean {
    return this.#halves.length > 0 || this.#parts.outbox.waiting > 0
  }

  #claimHalf(limit: number): Batch | undefined {
    const half = this.#halves.pop()
    if (half && half.length > limit) this.#halves.push(half.slice(limit))
    return half?.slice(0, limit)
  }

  #send(batch: Batch, nowMs: number): void {
    if (batch.length === 0) return
    const { network, transport } = this.#parts
    let request: NetworkRequest
    try {
      request = network.request(batch.map(({ item }) => item))
    } catch (thrown) {
      this.#settleAll(batch, 'rejected', `request() threw: ${messageOf(thrown)}`)
      return
    }
    for (const impression of batch) impression.attempts += 1
    const pass = this.#gate.enter()
    this.#budget.spend(nowMs)
    this.#inFlight += 1
    transport.send(request, (end) => this.#receive(batch, request, pass, end))
  }

  #receive(batch: Batch, request: NetworkRequest, pass: Pass, end: CallEnd): void {
    const nowMs = this.#parts.clock.now()
    this.#inFlight -= 1
    const verdict = this.#judge(end, request)
    if ('answer' in end) this.#budget.observe(end.answer, this.#inFlight)
    const retryAfterMs = verdict.kind === 'retry' ? verdict.retryAfterMs : undefined
    this.#gate.leave(pass, RESULTS[verdict.kind], nowMs, retryAfterMs)
    this.#carryOut(batch, verdict)
    this.#drainSoon()
  }

  #judge(end: CallEnd, { headers }: NetworkRequest): Verdict {
    const { network } = this.#parts
    let verdict: Verdict
    if ('error' in end) {
      verdict = verdictOnError(end.error, end.sent)
    } else {
      try {
        verdict = network.verdict(end.answer)
      } catch {
        verdict = verdictOnStatus(end.answer, undefined)
      }
    }
    return { ...verdict, reason: oneLine(redact(verdict.reason, headers)) }
  }

  #carryOut(batch: Batch, verdict: Verdict): void {
    const { network, log } = this.#parts
    const { kind, reason } = verdict
    switch (kind) {
      case 'delivered': {
        const counted = Math.min(verdict.count ?? batch.length, batch.length)
        this.#settleAll(batch.slice(0, counted), 'delivered', reason)
        const shortfall = `the network counted ${counted} of the ${batch.length} sent`
        this.#settleAll(batch.slice(counted), 'rejected', shortfall)
        return
      }
      case 'split':
        if (batch.length === 1) {
          this.#settleAll(batch, 'rejected', reason)
          return
        }
        log.warn(
          `split ${network.name}`,
          `${network.name} refused a batch, which is split: ${reason}`,
        )
        this.#halves.push(batch.slice(batch.length >> 1), batch.slice(0, batch.length >> 1))
        return
      case 'rejected':
        this.#settleAll(batch, 'rejected', reason)
        return
      case 'misconfigured':
        log.error(
          `misconfigured ${network.name}`,
          `${network.name} refuses the key or the base URL (${reason}): nothing is counted until ` +
            'that is mended; impressions are kept meanwhile',
        )
        this.#sendAgain(batch)
        return
      case 'retry':
        log.warn(
          `retry ${network.name}`,
          `${network.name} takes no impressions for now (${reason}): they are kept and sent again`,
        )
        this.#sendAgain(batch)
        return
      case 'uncertain':
        if (network.onUncertain === 'resend') this.#sendAgain(batch)
        else this.#settleAll(batch, 'uncertain', reason)
    }
  }

  #sendAgain(batch: Batch): void {
    if (!this.#isClosed) {
      this.#parts.outbox.release(batch)
      this.#expireLater()
      return
    }
    this.#parts.outbox.settle(batch.length)
    for (const impression of batch) this.#dropPending(impression, 'closed')
  }

  /** These claimed impressions have their outcome. */
  #settleAll(batch: Batch, outcome: Outcome, reason: string): void {
    const { outbox, network, log } = this.#parts
    if (batch.length === 0) return
    outbox.settle(batch.length)
    for (const impression of batch) this.#conclude(impression, outcome, reason)
    if (outcome === 'delivered') return
    log.warn(
      `${outcome} ${network.name}`,
      `${network.name}: ${batch.length} impression(s) ${outcome}: ${reason}`,
    )
  }

  #conclude(impression: Impression, outcome: Outcome, reason: string): void {
    const { account, books } = this.#parts
    account.pending -= 1
    books.conclude(account, impression, outcome, reason)
    for (const flush of this.#flushes) {
      if (impression.sequence > flush.upTo) continue
      flush.left -= 1
      if (flush.left > 0) continue
      this.#flushes.delete(flush)
      flush.end()
    }
  }

  #dropPending(impression: Impression, reason: Drop): void {
    this.#logDrop(reason)
    this.#conclude(impression, 'dropped', reason)
  }

  /** An impression that was never accepted. */
  #drop(impression: Impression, reason: Drop): void {
    const { account, books } = this.#parts
    this.#logDrop(reason)
    books.conclude(account, impression, 'dropped', reason)
  }

  #logDrop(reason: Drop): void {
    const { network, log } = this.#parts
    log.warn(
      `dropped ${reason} ${network.name}`,
      `${network.name}: an impression was dropped unsent: ${reason}`,
    )
  }

  #dropExpired(batch: Batch, nowMs: number): Batch {
    const { outbox, maxAgeMs } = this.#parts
    const isExpired = ({ trackedAtMs }: Impression) => trackedAtMs < nowMs - maxAgeMs
    if (!batch.some(isExpired)) return batch
    const expired = batch.filter(isExpired)
    outbox.settle(expired.length)
    for (const impression of expired) this.#dropPending(impression, 'expired')
    return batch.filter((impression) => !isExpired(impression))
  }

  /** Looks for expired impressions now and then, for as long as any wait behind a closed gate. */
  #expireLater(): void {
    const { clock, outbox, maxAgeMs } = this.#parts
    if (this.#isExpiryDue) return
    this.#isExpiryDue = true
    clock.after(maxAgeMs / 10, () => {
      this.#isExpiryDue = false
      for (const impression of outbox.expire(clock.now() - maxAgeMs)) {
        this.#dropPending(impression, 'expired')
      }
      if (outbox.waiting > 0 && !this.#isClosed) this.#expireLater()
    })
  }
}
