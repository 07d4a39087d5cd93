import type { Clock } from '../clock.js'
import type { NetworkStatistics } from '../counting/statistics.js'
import type { Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import { DROPPED, DROPPED_AFTER_SENDING, type Drop, REASONS, type Reason } from '../reason.js'
import type { Claim, Outbox, Receipt } from './outbox/outbox.js'
import { RetryingOutbox } from './outbox/retrying-outbox.js'
import { PendingList } from './pending-list.js'
import { type Batch, RetryBatches } from './retry-batches.js'

export interface PendingImpressionsDependencies {
  /** The network's name. */
  readonly network: string
  readonly statistics: NetworkStatistics
  readonly outbox: Outbox
  /** Most impressions pending or held. */
  readonly maxPending: number
  /** How long an impression may wait unsent. */
  readonly maxAgeMs: number
  readonly clock: Clock
  readonly log: Log
  /** Called when more impressions may be sent than before. */
  readonly onReady: () => void
}

/**
 * One network's impressions, from when they are pending until they have an outcome. It is the only
 * owner of the outbox and of the batches to retry, and the only place where a pending impression
 * ends.
 */
export class PendingImpressions {
  readonly #dependencies: PendingImpressionsDependencies
  readonly #outbox: RetryingOutbox
  readonly #retries = new RetryBatches()
  readonly #list: PendingList
  /** Impressions that were sent and may have counted: these can no longer end as never sent. */
  readonly #maybeCounted = new WeakSet<Impression>()
  #isExpiryScheduled = false
  #isClosed = false

  constructor(dependencies: PendingImpressionsDependencies) {
    const { network, outbox, clock, log } = dependencies
    this.#dependencies = dependencies
    this.#list = new PendingList(clock)
    this.#outbox = new RetryingOutbox({
      network,
      outbox,
      clock,
      log,
      onReceipt: (impression, receipt) => this.#onReceipt(impression, receipt),
      onResume: () => this.#onReady(),
    })
  }

  /** Takes over what a process that died has left in the outbox. */
  recover(): void {
    this.#outbox.recover((lost) => {
      this.#adopt(lost)
      this.#conclude(lost, 'uncertain', REASONS.processDied)
      if (this.#outbox.waiting === 0) return
      this.#dependencies.onReady()
      this.#scheduleExpiry()
    })
  }

  /** Whether `maxPending` impressions are pending or held. */
  get isFull(): boolean {
    const { statistics, maxPending } = this.#dependencies
    return statistics.held + statistics.pending >= maxPending
  }

  /**
   * An impression is pending from now on, and will be stored. Templates call this, however deep in
   * the stack they are: if it overflows, either nothing has happened or the impression is pending.
   */
  add(impression: Impression): void {
    if (this.#isClosed) {
      this.#drop([impression], 'closed')
    } else if (this.isFull && impression.countedAs !== 'held') {
      // A failing or hung outbox never returns `overflow`, so the limit is enforced here too.
      this.#drop([impression], 'overflow')
    } else {
      this.#begin(impression)
      this.#dependencies.onReady()
      this.#scheduleExpiry()
    }
  }

  /** Gives the outbox the impressions that were added since the last call. */
  store(): void {
    for (const impression of this.#list.takeAdded()) this.#outbox.append(impression)
  }

  /** Whether any impression may be sent now. */
  get isAnyWaiting(): boolean {
    return this.#retries.isReady || this.#outbox.waiting > 0
  }

  /** Whether an impression that was never split from a batch may be sent now. */
  get isAnyInOutbox(): boolean {
    return this.#outbox.waiting > 0
  }

  /** Whether a batch that is sent again as it is may be sent now. */
  get hasRetry(): boolean {
    return this.#retries.isReady
  }

  /** Whether waiting would not make the next batch from the outbox any larger. */
  get hasFullBatch(): boolean {
    return this.#outbox.hasFullBatch
  }

  /** When the impression that is claimed next was tracked, by `Clock.now()`. */
  get nextTrackedAtMs(): number | undefined {
    return this.#outbox.nextTrackedAtMs
  }

  /** Removes a batch to be sent again, of at most `max` impressions. */
  takeRetry(max: number): Batch | undefined {
    return this.#retries.take(max)
  }

  /** Claims a batch from the outbox. `next` gets `undefined` if nothing waits or the outbox failed. */
  claim(max: number, isMixed: boolean, next: (claim: Claim | undefined) => void): void {
    this.#outbox.claim(max, isMixed, (claim) => {
      if (claim) this.#adopt(claim.impressions)
      next(claim)
    })
  }

  /** The batch has its outcome and leaves the outbox. */
  conclude({ claim, impressions }: Batch, outcome: Outcome, reason: Reason): void {
    this.#outbox.settle(claim, impressions)
    if (outcome === 'rejected') this.#reject(impressions, reason)
    else this.#conclude(impressions, outcome, reason)
  }

  /** The batch is not sent, or not again. */
  drop({ claim, impressions }: Batch, drop: Drop): void {
    this.#outbox.settle(claim, impressions)
    this.#drop(impressions, drop)
  }

  /** The batch waits in the outbox again. */
  requeue({ claim, impressions }: Batch): void {
    if (this.#isClosed) this.drop({ claim, impressions }, 'closed')
    else this.#outbox.release(claim, impressions, () => this.#onReady())
  }

  /** As `requeue`, for a batch that may have counted already. */
  requeueMaybeCounted(batch: Batch): void {
    for (const impression of batch.impressions) this.#maybeCounted.add(impression)
    this.requeue(batch)
  }

  /** The batch is sent again in two halves, before anything else. */
  halve(batch: Batch): void {
    if (this.#isClosed) this.drop(batch, 'closed')
    else this.#retries.halve(batch)
  }

  /** The batch is sent again as it is, after `delayMs`. */
  retryLater(batch: Batch, delayMs: number): void {
    const { clock, onReady } = this.#dependencies
    if (this.#isClosed) this.drop(batch, 'closed')
    else this.#retries.delay(batch, delayMs, clock, onReady)
  }

  /** See `PendingList`. */
  flush(timeoutMs: number): Promise<boolean> {
    return this.#list.flush(timeoutMs)
  }

  /** Drops everything that is not in flight, now and from now on. */
  close(): void {
    this.#isClosed = true
    this.#drop(this.#list.takeAdded(), 'closed')
    this.#expire(Number.POSITIVE_INFINITY, 'closed')
  }

  /** Drops what an outbox that does not answer holds on to. Call it when nothing is in flight. */
  dropRest(): void {
    this.#drop(this.#list.toArray(), 'closed')
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Resolves when the outbox has answered everything. */
  whenOutboxIdle(): Promise<void> {
    return this.#outbox.whenIdle()
  }

  #begin(impression: Impression): void {
    this.#list.add(impression)
    this.#dependencies.statistics.beginPending(impression)
  }

  /** Impressions that another process appended are pending here from now on. */
  #adopt(impressions: readonly Impression[]): void {
    const adopted = impressions.filter(({ sequence }) => sequence === 0)
    if (adopted.length === 0) return
    // The outbox has the adopted ones, so they must not be among those that it is given.
    this.store()
    for (const impression of adopted) this.#begin(impression)
    this.#list.takeAdded()
  }

  #onReceipt(impression: Impression, receipt: Receipt): void {
    if (receipt === 'overflow') {
      this.#drop([impression], 'overflow')
    } else if (receipt === 'duplicate') {
      this.#conclude([impression], 'duplicate', REASONS.countedElsewhere)
    } else {
      this.#onReady()
    }
  }

  #onReady(): void {
    if (this.#isClosed) this.#expire(Number.POSITIVE_INFINITY, 'closed')
    else this.#dependencies.onReady()
  }

  #conclude(impressions: readonly Impression[], outcome: Outcome, reason: Reason): void {
    const { network, log, statistics } = this.#dependencies
    if (outcome !== 'delivered' && outcome !== 'dropped' && impressions.length > 0) {
      log.warn(`${outcome} ${network}`, `${network}: impression ${outcome}: ${reason}`)
    }
    for (const impression of impressions) {
      statistics.conclude(impression, outcome, reason)
      this.#list.remove(impression)
    }
  }

  /** One that was sent before may have counted then, although it is refused now. */
  #reject(impressions: readonly Impression[], reason: Reason): void {
    const isMaybeCounted = (impression: Impression) => this.#maybeCounted.has(impression)
    const maybeCounted = impressions.filter(isMaybeCounted)
    const refused = impressions.filter((impression) => !isMaybeCounted(impression))
    this.#conclude(
      maybeCounted,
      'uncertain',
      `sent-before: it may have counted when it was sent before, and was then refused (${reason})`,
    )
    this.#conclude(refused, 'rejected', reason)
  }

  /** Logs each one: the log merges the lines of a minute into one with a count. */
  #drop(impressions: readonly Impression[], drop: Drop): void {
    const { network, log } = this.#dependencies
    const kind = `dropped ${drop} ${network}`
    const reason = DROPPED[drop]
    const message = `${network}: impression dropped without being sent: ${reason}`
    for (const impression of impressions) {
      if (this.#maybeCounted.has(impression)) {
        this.#conclude([impression], 'uncertain', DROPPED_AFTER_SENDING[drop])
        continue
      }
      log.warn(kind, message)
      this.#conclude([impression], 'dropped', reason)
    }
  }

  /** Looks for expired impressions at intervals, while any are left. */
  #scheduleExpiry(): void {
    const { clock, statistics, maxAgeMs } = this.#dependencies
    if (this.#isExpiryScheduled) return
    clock.after(maxAgeMs / 10, () => {
      this.#isExpiryScheduled = false
      this.#expire(clock.now() - maxAgeMs, 'expired')
      const isAnyLeft = statistics.pending > 0 || this.#outbox.waiting > 0
      if (isAnyLeft && !this.#isClosed) this.#scheduleExpiry()
    })
    // Last: were it set and no timer, nothing would ever expire again.
    this.#isExpiryScheduled = true
  }

  /** Drops everything that waits and was tracked before `beforeMs`. */
  #expire(beforeMs: number, drop: Drop): void {
    for (const batch of this.#retries.expire(beforeMs)) this.drop(batch, drop)
    this.#outbox.expire(beforeMs, (expired) => {
      this.#adopt(expired)
      this.#drop(expired, drop)
    })
  }
}
