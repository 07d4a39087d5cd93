import { describeError } from '../../errors.js'
import { createImpression, type Impression, type Outcome } from '../../impression.js'
import { AppendingImpressions } from './appending-impressions.js'
import { ClaimableImpressions } from './claimable-impressions.js'
import { ExchangeQueue } from './exchange-queue.js'
import type { Operation } from './operation-queue.js'
import type { Claim, Fleet, Outbox, OutboxEvents, OutboxOptions, Receipt } from './outbox.js'
import { SettlingImpressions } from './settling-impressions.js'
import { addFigures, type Figures, SharedFigures } from './shared-figures.js'
import type { ExchangeRequest, ExchangeResponse, Store, StoredRecord } from './store.js'
import { parseImpression, serializeImpression } from './stored-impression.js'

/** Expired impressions are settled by operations of at most this many ids. */
const EXPIRED_PER_STEP = 1_000

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
  readonly #appending: AppendingImpressions
  readonly #settling: SettlingImpressions
  /** Claims that the store has not answered. */
  readonly #claiming = new Set<readonly Impression[]>()
  #events: OutboxEvents | undefined
  /** Changes when others have taken over from this process: its claims no longer hold. */
  #fence = 0
  #hasLeft = false
  /** Of the store, once it has answered. */
  #storeId: string | undefined
  #isSender = false
  /** Whether this process was the sender of a store that has lost its data: it knows the calls. */
  #knowsCalls = false
  #figures = new SharedFigures()

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
      countFigures: (operations) => this.#countFigures(operations),
      onResponse: (response, request) => this.#onResponse(response, request),
      onFailure: (thrown) => this.#onFailure(thrown),
    })
    this.#appending = new AppendingImpressions({
      queue: this.#queue,
      clock,
      onAccepted: (...accepted) => this.#onAccepted(...accepted),
    })
    this.#settling = new SettlingImpressions({
      queue: this.#queue,
      // What the store has lost needs no settling.
      isTakenOver: (response) => response.isLost && !this.#hasLostData(response),
      onHandedOver: (impressions) => this.#events?.onHandedOver(impressions),
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
    return this.#appending.append(impression)
  }

  claim(max: number, isMixed = false): Promise<Claim | undefined> | undefined {
    const impressions = this.#impressions.claim(max, isMixed)
    if (impressions.length === 0) return undefined
    const fence = this.#fence
    const byId = new Map(impressions.map((one) => [this.#impressions.getId(one), one]))
    this.#claiming.add(impressions)
    return new Promise((resolve) => {
      this.#queue.add({
        claim: [...byId.keys()],
        // Nothing could join it, or the next claim waits for it.
        isUrgent: impressions.length === max || this.#impressions.waiting > 0,
        onDone: (response) => {
          this.#claiming.delete(impressions)
          const claim = this.#onClaimed(byId, fence, response)
          // What is missing must not hold up the rest.
          resolve(claim ?? (response.missing.length > 0 ? this.claim(max, isMixed) : undefined))
        },
      })
    })
  }

  async settle(claim: Claim, impressions: readonly Impression[], outcome: Outcome): Promise<void> {
    if (claim.fence !== this.#fence) return
    const ids = this.#impressions.settle(claim, impressions)
    await this.#settling.settle(ids, impressions, { [outcome]: ids.length })
  }

  release(claim: Claim, impressions: readonly Impression[]): Promise<void> | undefined {
    if (claim.fence !== this.#fence) return undefined
    this.#impressions.release(claim, impressions)
    return this.#release(impressions.map((one) => [this.#impressions.getId(one), one]))
  }

  async expire(beforeMs: number): Promise<readonly Impression[]> {
    const unsent = this.#appending.expire(beforeMs)
    const { ids, impressions } = this.#impressions.expire(beforeMs)
    const steps: Promise<readonly Impression[]>[] = []
    for (let first = 0; first < ids.length; first += EXPIRED_PER_STEP) {
      const range = [first, first + EXPIRED_PER_STEP] as const
      const expired = impressions.slice(...range)
      steps.push(this.#settling.settle(ids.slice(...range), expired, countOutcomes(expired)))
    }
    return [...unsent, ...(await Promise.all(steps)).flat()]
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
    if (this.#hasLeft) throw new Error('close() was called')
    // The store first learns this process's latest figures.
    await new Promise<void>((resolve, reject) => {
      this.#queue.add({ onDone: () => resolve(), onFailed: reject })
    })
    const { figures, records } = await this.#store.readFleet()
    return { ...figures, pending: records + (figures.unstored ?? 0) }
  }

  async leave(): Promise<void> {
    this.#hasLeft = true
    this.#queue.remove(({ claim }) => claim !== undefined)
    this.#handOverAll()
    await this.#queue.leave()
    await this.#store.close()
  }

  abandon(): readonly Impression[] {
    this.#hasLeft = true
    this.#queue.stop()
    this.#handOverAll()
    // Others find them claimed, unless the store has done the step.
    this.#events?.onHandedOver(this.#settling.toArray())
    return this.#appending.inDoubt
  }

  /** What this process has claimed no longer belongs to it. */
  #handOverAll(): void {
    this.#fence += 1
    this.#claiming.clear()
    this.#events?.onHandedOver(this.#impressions.clear())
  }

  #release(impressions: readonly (readonly [id: string, Impression])[]): Promise<void> {
    const release = impressions.map(([id, impression]) => ({
      id,
      payload: serializeImpression(impression, this.#options.clock) ?? '',
    }))
    return new Promise((resolve) => this.#queue.add({ release, onDone: () => resolve() }))
  }

  #onResponse(response: ExchangeResponse, request: ExchangeRequest): void {
    const { isLost, isSender, arrivals, orphans, callAgesMs, isFailover } = response
    if (isLost) {
      this.#onLost(response, request)
      return
    }
    this.#figures.onStored(request.figures)
    this.#storeId = response.storeId
    this.#isSender = isSender
    if (this.#hasLeft) return
    if (callAgesMs && !this.#knowsCalls) {
      this.#events?.onCallHistory(this.#addUnstored(callAgesMs), isFailover)
    }
    this.#knowsCalls = false
    this.#adopt(arrivals, 'waiting')
    const impressions = this.#adopt(orphans, 'claimed')
    if (impressions.length > 0) this.#events?.onOrphans({ impressions, fence: this.#fence })
    if (arrivals.length > 0) this.#events?.onReady()
  }

  #onLost(response: ExchangeResponse, { figures }: ExchangeRequest): void {
    if (this.#hasLostData(response)) {
      this.#recoverData()
      return
    }
    if (response.wasDone) this.#figures.onStored(figures)
    this.#figures.startAgain()
    this.#handOverAll()
  }

  #hasLostData({ storeId }: ExchangeResponse): boolean {
    return this.#storeId !== undefined && storeId !== this.#storeId
  }

  /** What the store had of this process is in nobody else's hands. */
  #recoverData(): void {
    const { network, log } = this.#options
    log.error(
      `outbox-lost ${network}`,
      `${network}: the outbox has lost its data: what waits here is stored again, what may have ` +
        "been sent is uncertain, and dedupe keys and the fleet's figures begin anew",
    )
    this.#figures = new SharedFigures()
    this.#knowsCalls = this.#isSender
    this.#fence += 1
    // Nobody can have sent what the store has not said to be claimed.
    for (const claiming of this.#claiming) this.#impressions.putBack(claiming)
    this.#claiming.clear()
    const { ids, impressions } = this.#impressions.expire(Number.POSITIVE_INFINITY)
    this.#events?.onUncertain(this.#impressions.clear())
    if (!this.#queue.isLeaseValid) {
      // Others may have taken over before, and sent what waited here.
      this.#events?.onUncertain(impressions)
      return
    }
    for (const [index, impression] of impressions.entries()) {
      void this.#appendAgain(ids[index] ?? '', impression)
    }
  }

  async #appendAgain(id: string, impression: Impression): Promise<void> {
    const receipt = await this.#appending.appendAs(id, impression)
    this.#events?.onAppendedAgain(impression, receipt)
  }

  /** The store does not know the calls that have begun since a step that was repeated. */
  #addUnstored(callAgesMs: readonly number[]): readonly number[] {
    return [...callAgesMs, ...new Array<number>(this.#queue.unstoredCalls).fill(0)]
  }

  /** Records that others have appended, or that this process appended for another sender. */
  #adopt(records: readonly StoredRecord[], state: 'waiting' | 'claimed'): Impression[] {
    const { network, clock } = this.#options
    const adopted: Impression[] = []
    const sent = records.filter(({ id }) => this.#settling.hasSettled(id)).map(({ id }) => id)
    if (sent.length > 0) void this.#settling.settle(sent, [], {})
    for (const { id, payload } of records) {
      if (this.#settling.hasSettled(id)) continue
      // Of a record that it is appending, only the receipt says that it waits; a dead owner may have
      // claimed it meanwhile.
      const isAppending = state === 'waiting' && this.#appending.has(id)
      if (isAppending || this.#impressions.has(id) || this.#settling.has(id)) continue
      try {
        const impression = parseImpression(payload, network, clock)
        this.#impressions.add(id, impression, state)
        adopted.push(impression)
      } catch (thrown) {
        this.#removeUnreadable(id, state, thrown)
      }
    }
    return adopted
  }

  /** Such a record would stay in the store for ever. */
  #removeUnreadable(id: string, state: 'waiting' | 'claimed', thrown: unknown): void {
    const { network, clock, log } = this.#options
    const message = `the outbox has a record that cannot be read, and removes it: ${describeError(thrown)}`
    log.error(`unreadable ${network}`, `${network}: ${message}`)
    const outcome = state === 'claimed' ? 'uncertain' : 'invalid'
    const details = { campaignId: '', item: undefined }
    const impression = createImpression(network, '', details, clock.now())
    void this.#settling.settle([id], [impression], { [outcome]: 1 }).then((ended) => {
      if (ended.length > 0) this.#events?.onUnreadable(impression, outcome)
    })
  }

  #onAccepted(id: string, impression: Impression, { isSender }: ExchangeResponse): Receipt {
    if (!isSender || this.#hasLeft) return 'handed-over'
    this.#impressions.add(id, impression, 'waiting')
    return 'accepted'
  }

  #onClaimed(
    byId: ReadonlyMap<string, Impression>,
    fence: number,
    { claimed, missing }: ExchangeResponse,
  ): Claim | undefined {
    const isClaimed = new Set(claimed)
    const mine = [...byId].filter(([id]) => isClaimed.has(id))
    if (fence !== this.#fence) {
      // What was claimed during close() is never sent.
      if (mine.length > 0) void this.#release(mine)
      return undefined
    }
    const isMissing = new Set(missing)
    const lost = [...byId].filter(([id]) => isMissing.has(id)).map(([, one]) => one)
    if (lost.length > 0) this.#onMissing(lost)
    const others = [...byId].filter(([id]) => !isClaimed.has(id) && !isMissing.has(id))
    if (others.length > 0) this.#impressions.putBack(others.map(([, impression]) => impression))
    return mine.length > 0 ? { impressions: mine.map(([, one]) => one), fence } : undefined
  }

  /** Another process may have taken them over and sent them in the moments that the store has lost. */
  #onMissing(impressions: readonly Impression[]): void {
    this.#events?.onUncertain(impressions)
    this.#impressions.settle({ impressions }, impressions)
  }

  /** `pending` is what the store holds, and what this process has not stored yet. */
  #countFigures(operations: readonly Operation[]): Figures {
    const { pending = 0, ...figures } = this.#options.figures()
    const sums: Record<string, number> = { ...figures }
    for (const { outcomes = {} } of operations) addFigures(sums, outcomes)
    const appending = operations.filter(({ append }) => append).length
    const stored = this.#impressions.pendingHere + this.#settling.pendingHere + appending
    return this.#figures.toShare({ ...sums, unstored: Math.max(0, pending - stored) })
  }

  #onFailure(thrown: unknown): void {
    const { network, log } = this.#options
    const message =
      `${network}: the outbox failed, and impressions wait in memory until it works again: ` +
      describeError(thrown)
    log.error(`outbox-failed ${network}`, message)
  }
}

/** What `PendingOutcomes` counts expired impressions as. */
function countOutcomes(expired: readonly Impression[]): Figures {
  const uncertain = expired.filter(({ isMaybeCounted }) => isMaybeCounted).length
  return { dropped: expired.length - uncertain, uncertain }
}
