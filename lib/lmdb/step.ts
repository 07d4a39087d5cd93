import type { Receipt } from '../delivery/outbox/outbox.js'
import {
  EMPTY_RESPONSE,
  type ExchangeRequest,
  type ExchangeResponse,
  MAX_RECORDS,
  type NewRecord,
  type StoredRecord,
} from '../delivery/outbox/store.js'
import { claimPlace, FLEET_BOX, type Location, ownBox } from './keys.js'
import { Owners } from './owners.js'
import type { Owner, State } from './state.js'
import type { Tables } from './tables.js'

/**
 * Most dedupe keys that a step forgets if it has any to remember. More than it may have, so that
 * expired ones do not pile up.
 */
const MAX_FORGOTTEN = 2_000

/** By their first letters, which are what the tables hold. */
const RECEIPTS: Readonly<Record<string, Receipt>> = {
  a: 'accepted',
  d: 'duplicate',
  o: 'overflow',
  h: 'handed-over',
}

/** One exchange, inside a write transaction. */
export class Step {
  readonly #tables: Tables
  readonly #state: State
  readonly #request: ExchangeRequest
  readonly #nowMs: number
  readonly #owners: Owners
  /** Whether the owner has done the step before, and repeats it. */
  #isRepeated = false
  #owner = 0
  #box = 0
  /** The last sequence before the step appended anything. */
  #lastArrival = 0
  /** The records to be claimed that do not exist. */
  readonly #missing: string[] = []

  constructor(tables: Tables, state: State, request: ExchangeRequest) {
    this.#tables = tables
    this.#state = state
    this.#request = request
    this.#nowMs = Math.floor(state.timeMs)
    this.#owners = new Owners(tables, state, this.#nowMs)
  }

  run(): ExchangeResponse {
    const { owner: name, step, isNew, leaseMs, box, outageMs, isLeaving } = this.#request
    const owner = this.#owners.findOrRegister(name, isNew)
    if (!owner) return this.#respondLost()
    this.#isRepeated = owner.step === step
    owner.step = step
    this.#owners.renewLease(owner, leaseMs)
    this.#state.id ||= name
    this.#owner = owner.number
    this.#box = box === 'fleet' ? FLEET_BOX : ownBox(owner.number)
    if (outageMs > 0) this.#owners.spareOthers(owner, leaseMs, outageMs)
    const isNewSender = !isLeaving && this.#takeSenderRole(owner)
    const orphans = isLeaving ? [] : this.#takeOver(owner)
    for (const id of this.#request.settle) this.#settle(id)
    for (const record of this.#request.release) this.#release(record)
    const claimed = this.#claim()
    this.#lastArrival = this.#state.sequence
    const receipts = this.#append(owner)
    if (!this.#isRepeated) {
      this.#recordCalls()
      this.#setPause()
    }
    if (isLeaving) this.#leave(owner)
    else this.#tables.putFigures(owner.number, this.#request.figures)
    const response = this.#respond(owner, isNewSender, orphans)
    this.#tables.writeState(this.#state)
    return { ...response, receipts, claimed, missing: this.#missing }
  }

  /** Returns whether the owner has become the sender. */
  #takeSenderRole(owner: Owner): boolean {
    const { sender } = this.#state
    if (this.#request.box === 'own' || sender === owner.number) return false
    const holder = this.#owners.listOthers(owner).find(({ number }) => number === sender)
    if (holder && this.#owners.isAlive(holder)) return false
    this.#state.isFailover = sender !== undefined
    this.#state.sender = this.#owner
    return true
  }

  /** Returns what dead owners had claimed. */
  #takeOver(owner: Owner): StoredRecord[] {
    const orphans: StoredRecord[] = []
    let left = MAX_RECORDS
    for (const dead of this.#owners.buryOthers(owner)) {
      const claimed = this.#tables.listRecords(claimPlace(dead.number), left)
      for (const record of claimed) {
        const to = { place: claimPlace(owner.number), sequence: record.sequence }
        this.#tables.moveRecord(record.id, record, to, record.payload)
        orphans.push({ id: record.id, payload: record.payload })
      }
      left -= claimed.length
      const waiting = this.#tables.listRecords(ownBox(dead.number), left)
      for (const record of waiting) {
        this.#tables.moveRecord(record.id, record, this.#endOfBox(), record.payload)
      }
      left -= waiting.length
      if (left > 0) this.#owners.remove(dead)
      else break
    }
    return orphans
  }

  #leave(owner: Owner): void {
    this.#owners.bury(owner, this.#request.figures)
    if (this.#state.sender === owner.number) this.#state.sender = undefined
  }

  #endOfBox() {
    this.#state.sequence += 1
    return { place: this.#box, sequence: this.#state.sequence }
  }

  #settle(id: string): void {
    const location = this.#tables.locate(id)
    if (location?.place !== this.#box && location?.place !== claimPlace(this.#owner)) return
    this.#tables.removeRecord(id, location)
    this.#state.records -= 1
  }

  #release({ id, payload }: StoredRecord): void {
    const location = this.#tables.locate(id)
    if (location?.place !== claimPlace(this.#owner)) return
    this.#tables.moveRecord(id, location, this.#endOfBox(), payload)
  }

  #claim(): string[] {
    const { claim, probeMs } = this.#request
    const { pause } = this.#state
    const isProbe = pause !== undefined && pause.untilMs <= this.#nowMs
    const place = claimPlace(this.#owner)
    let left = this.#claimLimit()
    return claim.filter((id) => {
      const location = this.#tables.locate(id)
      if (!location) this.#missing.push(id)
      if (location?.place === place) return true
      if (left === 0 || location?.place !== this.#box) return false
      this.#tables.moveRecord(id, location, { place, sequence: location.sequence })
      left -= 1
      if (isProbe) {
        this.#state.pause = { owner: this.#owner, untilMs: this.#nowMs + probeMs, isProbe }
      }
      return true
    })
  }

  /** How many records the owner may claim now. */
  #claimLimit(): number {
    const { pause } = this.#state
    if (!this.#isSender()) return 0
    if (!pause) return Number.POSITIVE_INFINITY
    if (pause.untilMs <= this.#nowMs) return 1
    return pause.owner === this.#owner && !pause.isProbe ? Number.POSITIVE_INFINITY : 0
  }

  #append(owner: Owner): readonly Receipt[] {
    const { append } = this.#request
    if (!append) return []
    if (owner.append === append.number) {
      return toReceipts(this.#tables.receiptsOf(owner.number)).map((receipt, n) => {
        const location = this.#tables.locate(append.records[n]?.id ?? '')
        return receipt === 'accepted' ? this.#receiptForKnown(location) : receipt
      })
    }
    if (append.records.some(({ dedupeKey }) => dedupeKey !== undefined)) {
      this.#tables.forgetExpiredKeys(this.#nowMs, MAX_FORGOTTEN)
    }
    const receipts = append.records.map((record) => this.#appendOne(record))
    const letters = receipts.map((receipt) => receipt.charAt(0)).join('')
    this.#tables.putReceipts(owner.number, letters)
    owner.append = append.number
    return receipts
  }

  #appendOne({ id, payload, dedupeKey }: NewRecord): Receipt {
    const { maxPending, dedupeTtlMs } = this.#request
    const known = this.#tables.locate(id)
    if (known) return this.#receiptForKnown(known)
    const expiryMs = dedupeKey === undefined ? 0 : this.#tables.expiryOf(dedupeKey)
    if (expiryMs > this.#nowMs) return 'duplicate'
    if (this.#state.records >= maxPending) return 'overflow'
    if (dedupeKey !== undefined) this.#tables.rememberKey(dedupeKey, this.#nowMs + dedupeTtlMs)
    this.#tables.putRecord({ id, payload }, this.#endOfBox())
    this.#state.records += 1
    return 'accepted'
  }

  /** Of a record that was accepted before: others may have sent it, or be about to. */
  #receiptForKnown(location: Location | undefined): Receipt {
    return location?.place === this.#box ? 'accepted' : 'handed-over'
  }

  #recordCalls(): void {
    const { calls, callsTtlMs } = this.#request
    if (calls === 0 || callsTtlMs === 0) return
    if (this.#nowMs - this.#state.callsForgottenMs >= callsTtlMs / 10) this.#forgetCalls()
    this.#tables.addCalls(this.#nowMs, calls)
  }

  #forgetCalls(): void {
    this.#tables.forgetCalls(this.#nowMs - this.#request.callsTtlMs)
    this.#state.callsForgottenMs = this.#nowMs
  }

  #setPause(): void {
    const { pauseMs } = this.#request
    const { pause } = this.#state
    if (pauseMs === undefined) return
    const untilMs = this.#nowMs + pauseMs
    const mayChange = pause?.owner === this.#owner || untilMs >= (pause?.untilMs ?? 0)
    if (pauseMs > 0 && mayChange) {
      this.#state.pause = { owner: this.#owner, untilMs, isProbe: false }
    } else if (pauseMs === 0 && pause?.owner === this.#owner) {
      this.#state.pause = undefined
    }
  }

  #isSender(): boolean {
    return this.#request.box === 'own' || this.#state.sender === this.#owner
  }

  #respond(owner: Owner, isNewSender: boolean, orphans: StoredRecord[]): ExchangeResponse {
    const { box, isResync, isLeaving, seenUpTo } = this.#request
    const others = this.#owners
      .listOthers(owner)
      .filter((other) => this.#owners.isAlive(other)).length
    const empty = { ...EMPTY_RESPONSE, storeId: this.#state.id, seenUpTo, others }
    if (isLeaving) return empty
    const isSender = this.#isSender()
    const isTold = isNewSender || (isResync && isSender && box === 'fleet')
    return {
      ...empty,
      ...(isSender ? this.#listArrivals() : {}),
      orphans: isResync ? this.#listClaimed() : orphans,
      isSender,
      callAgesMs: isTold ? this.#listCallAges() : undefined,
      isFailover: isTold && this.#state.isFailover,
    }
  }

  #respondLost(): ExchangeResponse {
    const { owner, step, append, seenUpTo } = this.#request
    const lost = { ...EMPTY_RESPONSE, storeId: this.#state.id, isLost: true, seenUpTo }
    const past = this.#tables.findPastOwner(owner)
    if (!past) return lost
    const wasDone = past.step === step
    return { ...lost, wasDone, receipts: toReceipts(wasDone && append ? past.receipts : '') }
  }

  #listCallAges(): number[] {
    this.#forgetCalls()
    return this.#tables.listCalls().map((atMs) => this.#nowMs - atMs)
  }

  #listArrivals(): Pick<ExchangeResponse, 'arrivals' | 'seenUpTo'> {
    const { seenUpTo } = this.#request
    const { sequence } = this.#state
    if (this.#lastArrival <= seenUpTo) return { arrivals: [], seenUpTo: sequence }
    const range = { after: seenUpTo, upTo: this.#lastArrival }
    const records = this.#tables.listRecords(this.#box, MAX_RECORDS + 1, range)
    const arrivals = records.slice(0, MAX_RECORDS)
    const isMore = records.length > MAX_RECORDS
    return {
      arrivals: arrivals.map(({ id, payload }) => ({ id, payload })),
      seenUpTo: isMore ? (arrivals.at(-1)?.sequence ?? 0) : sequence,
    }
  }

  #listClaimed(): StoredRecord[] {
    const claimed = this.#tables.listRecords(claimPlace(this.#owner))
    return claimed.map(({ id, payload }) => ({ id, payload }))
  }
}

function toReceipts(letters: string): Receipt[] {
  return Array.from(letters, (letter) => {
    const receipt = RECEIPTS[letter]
    if (!receipt) throw new Error('it has a receipt in an unknown form')
    return receipt
  })
}
