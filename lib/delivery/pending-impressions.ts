import type { Clock } from '../clock.js'
import type { NetworkStatistics } from '../counting/statistics.js'
import type { Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import { type Drop, REASONS, type Reason } from '../reason.js'
import type { Claim, Fleet, Outbox, OutboxEvents, Receipt } from './outbox/outbox.js'
import { RetryingOutbox } from './outbox/retrying-outbox.js'
import { PendingList } from './pending-list.js'
import { type Ending, endDropped, endRejected, PendingOutcomes } from './pending-outcomes.js'
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
  readonly onCallHistory: OutboxEvents['onCallHistory']
}

/** What an impression ends as that an outbox does not accept. */
const REFUSALS: Readonly<
  Record<'duplicate' | 'uncertain' | 'unstorable', Pick<Ending, 'outcome' | 'reason'>>
> = {
  duplicate: { outcome: 'duplicate', reason: REASONS.countedElsewhere },
  uncertain: { outcome: 'uncertain', reason: REASONS.takenOver },
  unstorable: { outcome: 'invalid', reason: REASONS.unstorable },
}
/** How often `flush()` looks whether what waits has been claimed. */
const CLAIM_POLL_MS = 20

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
  readonly #outcomes: PendingOutcomes
  /** Impressions claimed so far. */
  #claimed = 0
  /** Impressions in a claim that the outbox has not answered. */
  #claiming = 0
  #isExpiryScheduled = false
  #isClosed = false

  constructor(dependencies: PendingImpressionsDependencies) {
    const { network, outbox, clock, log } = dependencies
    this.#dependencies = dependencies
    this.#list = new PendingList(clock)
    this.#outcomes = new PendingOutcomes({ ...dependencies, list: this.#list })
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
    const events: OutboxEvents = {
      onReady: () => this.#onReady(),
      onOrphans: (claim) => this.#onOrphans(claim),
      onUnreadable: (impression, outcome) => this.#onUnreadable(impression, outcome),
      onUncertain: (impressions) => this.#onUncertain(impressions),
      onAppendedAgain: (impression, receipt) => this.#onAppendedAgain(impression, receipt),
      onHandedOver: (impressions) => this.#outcomes.handOver(impressions),
      onCallHistory: this.#dependencies.onCallHistory,
    }
    this.#outbox.recover(events, (lost) => {
      this.#adopt(lost)
      this.#outcomes.conclude({
        impressions: lost,
        outcome: 'uncertain',
        reason: REASONS.processDied,
      })
      if (this.#outbox.waiting === 0) return
      this.#dependencies.onReady()
      this.#scheduleExpiry()
    })
  }

  /** `undefined` unless several processes share the outbox. */
  get fleet(): Fleet | undefined {
    return this.#outbox.fleet
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
      this.#outcomes.drop([impression], 'closed')
    } else if (this.isFull && impression.countedAs !== 'held') {
      // A failing or hung outbox never returns `overflow`, so the limit is enforced here too.
      this.#outcomes.drop([impression], 'overflow')
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

  /** When the oldest pending impression was tracked, by `Clock.now()`. */
  get oldestTrackedAtMs(): number | undefined {
    return this.#list.oldest?.trackedAtMs
  }

  /** Removes a batch to be sent again, of at most `max` impressions. */
  takeRetry(max: number): Batch | undefined {
    return this.#retries.take(max)
  }

  /** Claims a batch from the outbox. `next` gets `undefined` if nothing waits or the outbox failed. */
  claim(max: number, isMixed: boolean, next: (claim: Claim | undefined) => void): void {
    const { waiting } = this.#outbox
    let isAnswered = false
    this.#outbox.claim(max, isMixed, (claim) => {
      isAnswered = true
      this.#claiming = 0
      this.#claimed += claim?.impressions.length ?? 0
      if (claim) this.#adopt(claim.impressions)
      next(claim)
    })
    if (!isAnswered) this.#claiming = waiting - this.#outbox.waiting
  }

  /** The batch without what has ended: others have taken it over, or the store has lost it. */
  keepOwn(batch: Batch): Batch {
    if (!this.fleet) return batch
    const { claim, impressions } = batch
    const isOwn = ({ countedAs }: Impression) => countedAs === 'pending'
    return { claim, impressions: impressions.filter(isOwn) }
  }

  /** The batch has its outcome and leaves the outbox. */
  conclude(batch: Batch, outcome: Outcome, reason: Reason): void {
    const { claim, impressions } = batch
    if (outcome === 'rejected') this.#settle(claim, endRejected(impressions, reason))
    else this.#settle(claim, [{ impressions, outcome, reason }])
  }

  /** The batch is not sent, or not again. */
  drop(batch: Batch, drop: Drop): void {
    this.#settle(batch.claim, endDropped(batch.impressions, drop))
  }

  #settle(claim: Claim, endings: readonly Ending[]): void {
    for (const ending of endings) {
      const { impressions, outcome } = ending
      const conclude = () => this.#outcomes.conclude(ending)
      // If others have taken over what a shared outbox holds, they count it, and this concludes nothing.
      this.#outbox.settle(claim, impressions, outcome, this.fleet ? conclude : undefined)
      if (!this.fleet) conclude()
    }
  }

  /** The batch waits in the outbox again. */
  requeue({ claim, impressions }: Batch): void {
    if (this.#isClosed && !this.fleet) this.drop({ claim, impressions }, 'closed')
    else this.#outbox.release(claim, impressions, () => this.#onReady())
  }

  /** As `requeue`, for a batch that may have counted already. */
  requeueMaybeCounted(batch: Batch): void {
    for (const impression of batch.impressions) impression.isMaybeCounted = true
    this.requeue(batch)
  }

  /** The batch is sent again in two halves, before anything else. */
  halve(batch: Batch): void {
    if (this.#isClosed) this.requeue(batch)
    else this.#retries.halve(batch)
  }

  /** The batch is sent again as it is, after `delayMs`. */
  retryLater(batch: Batch, delayMs: number): void {
    const { clock, onReady } = this.#dependencies
    if (this.#isClosed) this.requeue(batch)
    else this.#retries.delay(batch, delayMs, clock, onReady)
  }

  /**
   * Resolves to `true` when everything that is pending now has ended, and to `false` after
   * `timeoutMs`. Of a shared outbox, this includes what others have appended for this process to
   * send. Keeps the process alive until then.
   */
  async flush(timeoutMs: number): Promise<boolean> {
    const endsAtMs = this.#dependencies.clock.now() + timeoutMs
    const isClaimed = this.fleet === undefined || (await this.#whenClaimed(endsAtMs))
    if (!isClaimed) return false
    return await this.#list.flush(endsAtMs - this.#dependencies.clock.now())
  }

  /**
   * Drops everything that is not in flight, now and from now on. What is in a shared outbox stays
   * there instead.
   */
  close(): void {
    this.#isClosed = true
    if (this.fleet) {
      this.store()
      for (const batch of this.#retries.expire(Number.POSITIVE_INFINITY)) this.requeue(batch)
    } else {
      this.#outcomes.drop(this.#list.takeAdded(), 'closed')
      this.#expire(Number.POSITIVE_INFINITY, 'closed')
    }
  }

  /** Call it when nothing is in flight. Resolves when the outbox has answered everything. */
  async leaveOutbox(): Promise<void> {
    await (this.fleet?.leave() ?? this.#outbox.whenIdle())
  }

  /** Drops what an outbox that does not answer holds on to. Call it after `leaveOutbox`. */
  dropRest(): void {
    const impressions = this.fleet?.abandon() ?? []
    this.#outcomes.conclude({ impressions, outcome: 'uncertain', reason: REASONS.closedInDoubt })
    this.#outcomes.drop(this.#list.toArray(), 'closed')
  }

  get isClosed(): boolean {
    return this.#isClosed
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
    switch (receipt) {
      case 'accepted':
        this.#onReady()
        return
      case 'overflow':
        this.#outcomes.drop([impression], 'overflow')
        return
      case 'handed-over':
        this.#outcomes.handOver([impression])
        return
      default:
        this.#outcomes.conclude({ impressions: [impression], ...REFUSALS[receipt] })
    }
  }

  #onReady(): void {
    if (this.#isClosed) this.#expireAtClose()
    else {
      this.#dependencies.onReady()
      this.#scheduleExpiry()
    }
  }

  #expireAtClose(): void {
    if (!this.fleet) this.#expire(Number.POSITIVE_INFINITY, 'closed')
  }

  /** Resolves to whether what waits now was claimed, or nothing waited, before `endsAtMs`. */
  async #whenClaimed(endsAtMs: number): Promise<boolean> {
    const { clock } = this.#dependencies
    const count = this.#claimed + this.#claiming + this.#outbox.waiting
    while (this.#claimed < count && this.#claiming + this.#outbox.waiting > 0) {
      if (clock.now() >= endsAtMs) return false
      await new Promise<void>((resolve) => clock.after(CLAIM_POLL_MS, resolve, 'keeps-alive'))
    }
    return true
  }

  #onUncertain(impressions: readonly Impression[]): void {
    this.#adopt(impressions)
    const reason = REASONS.outboxLostData
    this.#outcomes.conclude({ impressions, outcome: 'uncertain', reason })
  }

  #onUnreadable(impression: Impression, outcome: Outcome): void {
    this.#adopt([impression])
    this.#outcomes.conclude({ impressions: [impression], outcome, reason: REASONS.unreadable })
  }

  #onAppendedAgain(impression: Impression, receipt: Receipt): void {
    // One of another process is pending here only if it ends here.
    const isStored = receipt === 'accepted' || receipt === 'handed-over'
    if (!isStored) this.#adopt([impression])
    this.#onReceipt(impression, receipt)
  }

  #onOrphans(claim: Claim): void {
    this.#adopt(claim.impressions)
    this.conclude({ claim, impressions: claim.impressions }, 'uncertain', REASONS.processDied)
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
      this.#outcomes.drop(expired, drop)
    })
  }
}
