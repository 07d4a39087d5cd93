import { randomBytes } from 'node:crypto'
import { describeError } from '../../errors.js'
import type { Impression } from '../../impression.js'
import { ClaimableImpressions } from './claimable-impressions.js'
import { ExchangeQueue } from './exchange-queue.js'
import type { Claim, Fleet, Outbox, OutboxEvents, OutboxOptions, Receipt } from './outbox.js'
import { type Figures, SharedFigures } from './shared-figures.js'
import type { ExchangeRequest, ExchangeResponse, Store, StoredRecord } from './store.js'
import { parseImpression, serializeImpression } from './stored-impression.js'

/** Expired impressions are settled by operations of at most this many ids. */
const EXPIRED_PER_STEP = 1_000

/** An impression that the store has not accepted yet. */
interface Appending {
  readonly impression: Impression
  readonly resolve: (receipt: Receipt) => void
}

/**
 * An outbox that several processes share through a store: what all engines have in common.
 *
 * - Each process is an *owner* with a *lease*, which every step of the store renews. Once it has
 *   expired, others take over, and the store then refuses whatever the process asks for.
 * - A claim is in the store before its impressions are sent. What a dead process had claimed is
 *   `uncertain`; what it had not is sent by another one.
 * - Without windows, each process sends what it has appended. With windows, one of them sends
 *   everything, so that one memory holds the quota and the circuit breaker.
 */
export class SharedOutbox implements Outbox, Fleet {
  readonly #store: Store
  readonly #options: OutboxOptions
  readonly #queue: ExchangeQueue
  readonly #impressions: ClaimableImpressions
  /** By the ids of their records. */
  readonly #appending = new Map<string, Appending>()
  /** The ids of records that have their outcome, and that the store has not removed yet. */
  readonly #settling = new Set<string>()
  readonly #idPrefix = `${randomBytes(9).toString('base64url')}:`
  #lastId = 0
  #events: OutboxEvents | undefined
  /** Changes when others have taken over from this process: its claims no longer hold. */
  #fence = 0
  #hasLeft = false
  /** Reject the figures that are being read. */
  #rejectReaders: ((thrown: unknown) => void)[] = []
  readonly #figures = new SharedFigures()

  /** @param leaseMs how long the process may stay silent before others take over from it */
  constructor(store: Store, options: OutboxOptions, leaseMs: number) {
    const { maxPending, maxBatch, dedupeTtlMs, longestWindowMs, timeoutMs, clock } = options
    this.#store = store
    this.#options = options
    this.#impressions = new ClaimableImpressions(maxBatch)
    this.#queue = new ExchangeQueue({
      store,
      clock,
      constants: {
        leaseMs,
        maxPending,
        dedupeTtlMs,
        callsTtlMs: longestWindowMs,
        // A probe ends within the time of a call, and its end is in the store soon after.
        probeMs: timeoutMs + leaseMs,
      },
      countFigures: (appending) => this.#countFigures(appending),
      onResponse: (response, request) => this.#onResponse(response, request),
      onFailure: (thrown) => this.#onFailure(thrown),
    })
  }

  get fleet(): Fleet {
    return this
  }

  get waiting(): number {
    return this.#impressions.waiting
  }

  get hasFullBatch(): boolean {
    return this.#impressions.hasFullBatch
  }

  get nextTrackedAtMs(): number | undefined {
    return this.#impressions.nextTrackedAtMs
  }

  get isLeaseValid(): boolean {
    return this.#queue.isLeaseValid
  }

  append(impression: Impression): Receipt | Promise<Receipt> {
    const payload = serializeImpression(impression, this.#options.clock)
    if (payload === undefined) return 'unstorable'
    const { dedupeKey } = impression
    this.#lastId += 1
    const id = `${this.#idPrefix}${this.#lastId.toString(36)}`
    return new Promise((resolve) => {
      this.#appending.set(id, { impression, resolve })
      this.#queue.add({
        append: dedupeKey === undefined ? { id, payload } : { id, payload, dedupeKey },
        onDone: (response, receipt) => this.#onAppended(id, response, receipt ?? 'uncertain'),
      })
    })
  }

  claim(max: number, isMixed = false): Promise<Claim | undefined> | undefined {
    const impressions = this.#impressions.claim(max, isMixed)
    if (impressions.length === 0) return undefined
    const fence = this.#fence
    return new Promise((resolve) => {
      this.#queue.add({
        claim: impressions.map((impression) => this.#impressions.getId(impression)),
        onDone: ({ claimed }) => resolve(this.#onClaimed(impressions, fence, claimed)),
      })
    })
  }

  settle(claim: Claim, impressions: readonly Impression[]): Promise<void> | undefined {
    if (claim.fence !== this.#fence) return undefined
    return this.#settle(this.#impressions.settle(claim, impressions), (isLost) => {
      if (isLost) this.#events?.onHandedOver(impressions)
    })
  }

  release(claim: Claim, impressions: readonly Impression[]): Promise<void> | undefined {
    if (claim.fence !== this.#fence) return undefined
    this.#impressions.release(claim, impressions)
    const release = impressions.map((impression) => ({
      id: this.#impressions.getId(impression),
      payload: serializeImpression(impression, this.#options.clock) ?? '',
    }))
    return new Promise((resolve) => this.#queue.add({ release, onDone: () => resolve() }))
  }

  async expire(beforeMs: number): Promise<readonly Impression[]> {
    const unsent = this.#expireAppends(beforeMs)
    const { ids, impressions } = this.#impressions.expire(beforeMs)
    const fence = this.#fence
    const steps: Promise<void>[] = []
    for (let first = 0; first < ids.length; first += EXPIRED_PER_STEP) {
      steps.push(this.#settle(ids.slice(first, first + EXPIRED_PER_STEP)))
    }
    await Promise.all(steps)
    if (fence === this.#fence) return [...unsent, ...impressions]
    // Others have taken over the stored ones.
    this.#events?.onHandedOver(impressions)
    return unsent
  }

  recover(events: OutboxEvents): readonly Impression[] {
    this.#events = events
    this.#queue.schedule()
    // What dead processes have left arrives with the events.
    return []
  }

  onCall(): void {
    if (this.#options.longestWindowMs > 0) this.#queue.countCall()
  }

  onCallEnd(pauseMs: number): void {
    this.#queue.setPause(pauseMs)
  }

  async readFigures(): Promise<Figures> {
    // The store first learns this process's latest figures.
    await new Promise<void>((resolve, reject) => {
      this.#rejectReaders.push(reject)
      this.#queue.add({ onDone: () => resolve() })
    })
    const { figures, records } = await this.#store.readFleet()
    return { ...figures, pending: records + (figures.unstored ?? 0) }
  }

  async leave(): Promise<void> {
    this.#hasLeft = true
    for (const { id } of this.#queue.appendsInDoubt) {
      const appending = this.#appending.get(id)
      if (appending) appending.impression.isMaybeCounted = true
    }
    // A claim that is not answered yet no longer holds.
    this.#fence += 1
    this.#events?.onHandedOver(this.#impressions.clear())
    await this.#queue.leave()
    await this.#store.close()
  }

  #settle(settle: readonly string[], onDone = (_isLost: boolean) => {}): Promise<void> {
    for (const id of settle) this.#settling.add(id)
    return new Promise((resolve) => {
      this.#queue.add({
        settle,
        onDone: ({ isLost }) => {
          for (const id of settle) this.#settling.delete(id)
          onDone(isLost)
          resolve()
        },
      })
    })
  }

  #onResponse(response: ExchangeResponse, request: ExchangeRequest): void {
    const { isLost, arrivals, orphans, callAgesMs, isFailover } = response
    this.#rejectReaders = []
    if (isLost) {
      if (response.wasDone) this.#figures.onStored(request.figures)
      this.#figures.startAgain()
      this.#fence += 1
      this.#events?.onHandedOver(this.#impressions.clear())
      return
    }
    this.#figures.onStored(request.figures)
    if (this.#hasLeft) return
    if (callAgesMs) this.#events?.onCallHistory(callAgesMs, isFailover)
    this.#adopt(arrivals, 'waiting')
    const impressions = this.#adopt(orphans, 'claimed')
    if (impressions.length > 0) this.#events?.onOrphans({ impressions, fence: this.#fence })
    if (arrivals.length > 0) this.#events?.onReady()
  }

  /** Records that others have appended, or that this process appended for another sender. */
  #adopt(records: readonly StoredRecord[], state: 'waiting' | 'claimed'): Impression[] {
    const { network, clock } = this.#options
    const adopted: Impression[] = []
    for (const { id, payload } of records) {
      // Of a record that it is appending, only the receipt says that it waits; a dead owner may have
      // claimed it meanwhile.
      const isAppending = state === 'waiting' && this.#appending.has(id)
      if (isAppending || this.#impressions.has(id) || this.#settling.has(id)) continue
      try {
        const impression = parseImpression(payload, network, clock)
        this.#impressions.add(id, impression, state)
        adopted.push(impression)
      } catch (thrown) {
        this.#onFailure(thrown)
      }
    }
    return adopted
  }

  #onAppended(id: string, { isSender }: ExchangeResponse, receipt: Receipt): void {
    const appending = this.#appending.get(id)
    if (!appending) return
    const { impression, resolve } = appending
    this.#appending.delete(id)
    const isMine = receipt === 'accepted' && isSender && !this.#hasLeft
    if (isMine) this.#impressions.add(id, impression, 'waiting')
    resolve(receipt === 'accepted' && !isMine ? 'handed-over' : receipt)
  }

  #onClaimed(
    impressions: readonly Impression[],
    fence: number,
    claimed: readonly string[],
  ): Claim | undefined {
    if (fence !== this.#fence) return undefined
    const ids = new Set(claimed)
    const isClaimed = (impression: Impression) => ids.has(this.#impressions.getId(impression))
    const mine = impressions.filter(isClaimed)
    const others = impressions.filter((impression) => !isClaimed(impression))
    if (others.length > 0) this.#impressions.putBack(others)
    return mine.length > 0 ? { impressions: mine, fence } : undefined
  }

  /** What the store may have accepted is no longer in this process's hands. */
  #expireAppends(beforeMs: number): Impression[] {
    const isOld = (id: string) => {
      const trackedAtMs = this.#appending.get(id)?.impression.trackedAtMs
      return trackedAtMs !== undefined && trackedAtMs < beforeMs
    }
    return this.#queue.removeAppends(isOld).flatMap((id) => {
      const appending = this.#appending.get(id)
      this.#appending.delete(id)
      // It has its outcome before this takes effect.
      appending?.resolve('accepted')
      return appending?.impression ?? []
    })
  }

  /** `pending` is what the store holds, and what this process has not stored yet. */
  #countFigures(appending: number): Figures {
    const { pending = 0, ...figures } = this.#options.figures()
    const unstored = Math.max(0, pending - this.#impressions.pendingHere - appending)
    return this.#figures.toShare({ ...figures, unstored })
  }

  #onFailure(thrown: unknown): void {
    const { network, log } = this.#options
    const message =
      `${network}: the outbox failed, and impressions wait in memory until it works again: ` +
      describeError(thrown)
    log.error(`outbox-failed ${network}`, message)
    for (const reject of this.#rejectReaders.splice(0)) reject(thrown)
  }
}
