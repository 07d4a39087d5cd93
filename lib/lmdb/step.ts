import type { Receipt } from '../delivery/outbox/outbox.js'
import {
  EMPTY_RESPONSE,
  type ExchangeRequest,
  type ExchangeResponse,
  type NewRecord,
  type StoredRecord,
} from '../delivery/outbox/store.js'
import {
  claimPlace,
  FLEET_BOX,
  type Location,
  type Owner,
  ownBox,
  type State,
  type Tables,
} from './tables.js'

/** Most records that a step moves from dead owners, and that a response lists as arrivals. */
const MAX_MOVED = 1_000

/**
 * Most dedupe keys that a step forgets if it has any to remember. More than it may have, so that
 * expired ones do not pile up.
 */
const MAX_FORGOTTEN = 2_000

/** How long the last steps of past owners are remembered: a day. */
const PAST_OWNER_TTL_MS = 24 * 3_600_000

/** Figures of a past owner that count impressions without an outcome. */
const FORGOTTEN_FIGURES = ['held', 'unstored']

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
  /** Whether the owner has done the step before, and repeats it. */
  #isRepeated = false
  /** All but the request's own. */
  #others: Owner[] = []
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
  }

  run(): ExchangeResponse {
    const owner = this.#findOrRegister()
    if (!owner) return this.#respondLost()
    this.#state.id ||= owner.name
    this.#owner = owner.number
    this.#box = this.#request.box === 'fleet' ? FLEET_BOX : ownBox(owner.number)
    if (this.#request.isAfterOutage) this.#spareOthers()
    const isTakingOver = !this.#request.isLeaving
    const isNewSender = isTakingOver && this.#takeSenderRole()
    const orphans = isTakingOver ? this.#takeOver() : []
    for (const id of this.#request.settle) this.#settle(id)
    for (const record of this.#request.release) this.#release(record)
    const claimed = this.#claim()
    this.#lastArrival = this.#state.sequence
    const receipts = this.#append()
    if (!this.#isRepeated) {
      this.#recordCalls()
      this.#setPause()
    }
    if (this.#request.isLeaving) this.#bury(owner)
    else this.#tables.putOwner(owner)
    const response = this.#respond(isNewSender, orphans)
    this.#tables.writeState(this.#state)
    return { ...response, receipts, claimed, missing: this.#missing }
  }

  #findOrRegister(): Owner | undefined {
    const { owner: name, step, isNew, leaseMs, figures } = this.#request
    const owners = this.#tables.listOwners()
    this.#others = owners.filter((owner) => owner.name !== name)
    const known = owners.find((owner) => owner.name === name)
    if (known ? known.leaseUntilMs === undefined : !isNew) return undefined
    if (!known) this.#state.lastOwner += 1
    const number = known?.number ?? this.#state.lastOwner
    this.#isRepeated = known?.step === step
    const leaseUntilMs = this.#nowMs + leaseMs
    return { name, number, leaseUntilMs, figures, step }
  }

  #spareOthers(): void {
    const untilMs = this.#nowMs + this.#request.leaseMs
    this.#others = this.#others.map((owner) => {
      if (owner.leaseUntilMs === undefined || owner.leaseUntilMs >= untilMs) return owner
      const spared = { ...owner, leaseUntilMs: untilMs }
      this.#tables.putOwner(spared)
      return spared
    })
  }

  #isAlive({ leaseUntilMs }: Owner): boolean {
    return leaseUntilMs !== undefined && leaseUntilMs > this.#nowMs
  }

  /** Returns whether the owner has become the sender. */
  #takeSenderRole(): boolean {
    const { sender } = this.#state
    if (this.#request.box === 'own' || sender === this.#owner) return false
    const isHeld = this.#others.some((owner) => owner.number === sender && this.#isAlive(owner))
    if (isHeld) return false
    this.#state.isFailover = sender !== undefined
    this.#state.sender = this.#owner
    return true
  }

  /** Returns what dead owners had claimed. */
  #takeOver(): StoredRecord[] {
    const orphans: StoredRecord[] = []
    let left = MAX_MOVED
    const dead = this.#others.filter((other) => !this.#isAlive(other))
    for (const owner of dead) if (owner.leaseUntilMs !== undefined) this.#bury(owner)
    for (const owner of dead) {
      const claimed = this.#tables.listRecords(claimPlace(owner.number), left)
      for (const record of claimed) {
        const to = { place: claimPlace(this.#owner), sequence: record.sequence }
        this.#tables.moveRecord(record.id, record, to, record.payload)
        orphans.push({ id: record.id, payload: record.payload })
      }
      left -= claimed.length
      const waiting = this.#tables.listRecords(ownBox(owner.number), left)
      for (const record of waiting) {
        this.#tables.moveRecord(record.id, record, this.#endOfBox(), record.payload)
      }
      left -= waiting.length
      if (left > 0) this.#tables.removeOwner(owner)
      else break
    }
    return orphans
  }

  /** From now on, the owner is dead: what is left of it is moved by others. */
  #bury(owner: Owner): void {
    const past = { ...this.#state.pastFigures }
    for (const [name, count] of Object.entries(owner.figures)) {
      if (!FORGOTTEN_FIGURES.includes(name)) past[name] = (past[name] ?? 0) + count
    }
    this.#state.pastFigures = past
    this.#tables.forgetPastOwners(this.#nowMs)
    this.#tables.putPastOwner(owner, this.#nowMs + PAST_OWNER_TTL_MS)
    this.#tables.putOwner({ ...owner, leaseUntilMs: undefined, figures: {} })
    const isLeaving = owner.number === this.#owner
    if (isLeaving && this.#state.sender === this.#owner) this.#state.sender = undefined
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

  #append(): readonly Receipt[] {
    const { append } = this.#request
    if (!append) return []
    const last = this.#tables.receiptsOf(this.#owner)
    if (last?.number === append.number) {
      return toReceipts(last.letters).map((receipt, n) => {
        const location = this.#tables.locate(append.records[n]?.id ?? '')
        return receipt === 'accepted' ? this.#receiptForKnown(location) : receipt
      })
    }
    if (append.records.some(({ dedupeKey }) => dedupeKey !== undefined)) {
      this.#tables.forgetExpiredKeys(this.#nowMs, MAX_FORGOTTEN)
    }
    const receipts = append.records.map((record) => this.#appendOne(record))
    const letters = receipts.map((receipt) => receipt.charAt(0)).join('')
    this.#tables.putReceipts(this.#owner, { number: append.number, letters })
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
    this.#tables.forgetCalls(this.#nowMs - callsTtlMs)
    this.#tables.addCalls(this.#nowMs, calls)
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

  #respond(isNewSender: boolean, orphans: StoredRecord[]): ExchangeResponse {
    const { box, isResync, isLeaving, seenUpTo } = this.#request
    const others = this.#others.filter((owner) => this.#isAlive(owner)).length
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
    const letters = wasDone && append ? past.receipts?.letters : undefined
    return { ...lost, wasDone, receipts: toReceipts(letters ?? '') }
  }

  #listCallAges(): number[] {
    const { callsTtlMs } = this.#request
    this.#tables.forgetCalls(this.#nowMs - callsTtlMs)
    return this.#tables.listCalls().map((atMs) => this.#nowMs - atMs)
  }

  #listArrivals(): Pick<ExchangeResponse, 'arrivals' | 'seenUpTo'> {
    const { seenUpTo } = this.#request
    const { sequence } = this.#state
    if (this.#lastArrival <= seenUpTo) return { arrivals: [], seenUpTo: sequence }
    const range = { after: seenUpTo, upTo: this.#lastArrival }
    const records = this.#tables.listRecords(this.#box, MAX_MOVED + 1, range)
    const arrivals = records.slice(0, MAX_MOVED)
    const isMore = records.length > MAX_MOVED
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
