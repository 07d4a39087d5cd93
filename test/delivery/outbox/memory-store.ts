// The reference implementation of lib/delivery/outbox/store.ts

import type { Receipt } from '../../../lib/delivery/outbox/outbox.js'
import {
  EMPTY_RESPONSE,
  type ExchangeRequest,
  type ExchangeResponse,
  type FleetFigures,
  MAX_RECORDS,
  type NewRecord,
  type Store,
  type StoredRecord,
} from '../../../lib/delivery/outbox/store.js'

/** Figures of a past owner that count impressions without an outcome. */
const FORGOTTEN_FIGURES = ['held', 'unstored']

/** How long the last steps of past owners are remembered. */
const DAY_MS = 24 * 3_600_000

/** The box of all owners with `box: 'fleet'`. Every other box is named for its owner. */
const FLEET_BOX = ''

interface Owner {
  leaseUntilMs: number
  /** Whether it has its lease only because of an outage, and has done no step since. */
  isSpared: boolean
  figures: Readonly<Record<string, number>>
  lastAppend: { readonly number: number; readonly receipts: readonly Receipt[] } | undefined
  lastStep: number
}

const NEW_OWNER: Owner = {
  leaseUntilMs: 0,
  isSpared: false,
  figures: {},
  lastAppend: undefined,
  lastStep: 0,
}

/** What a past owner did last. */
interface PastOwner extends Pick<Owner, 'lastStep' | 'lastAppend'> {
  readonly diedAtMs: number
}

interface Entry {
  readonly id: string
  payload: string
  box: string
  /** Orders the box. Higher than that of every record that was put into a box before. */
  sequence: number
  claimedBy: string | undefined
}

interface Sender {
  readonly owner: string
  readonly isFailover: boolean
}

interface Pause {
  readonly owner: string
  readonly untilMs: number
  /** Whether the owner has its one record, and gets no other until it ends or prolongs the pause. */
  readonly isProbe: boolean
}

/** A store in memory. Processes share it by sharing the object. */
export class MemoryStore implements Store {
  readonly #now: () => number
  readonly #owners = new Map<string, Owner>()
  /** Dead owners of which records are left to be moved. */
  readonly #dead = new Set<string>()
  readonly #past = new Map<string, PastOwner>()
  readonly #entries = new Map<string, Entry>()
  /** When each dedupe key is forgotten. */
  readonly #keys = new Map<string, number>()
  readonly #pastFigures: Record<string, number> = {}
  #id = ''
  #calls: number[] = []
  #sequence = 0
  #sender: Sender | undefined
  #pause: Pause | undefined
  /** Whether it has no memory for appends. */
  isFull = false

  constructor(now: () => number) {
    this.#now = now
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    const owner = this.#registerOrRenew(request)
    if (!owner) return this.#lostResponse(request)
    this.#id ||= request.owner
    const isRepeated = owner.lastStep === request.step
    owner.lastStep = request.step
    if (request.outageMs > 0) this.#spareOthers(request)
    const isNewSender = this.#takeSenderRole(request)
    const orphans = this.#takeOver(request)
    for (const id of request.settle) this.#settle(request, id)
    for (const record of request.release) this.#release(request, record)
    const claimed = this.#claim(request)
    const missing = request.claim.filter((id) => !this.#entries.has(id))
    const beforeAppend = this.#sequence
    const receipts = this.#append(request, owner)
    if (!isRepeated) {
      this.#recordCalls(request)
      this.#setPause(request)
    }
    this.#forgetCalls(request)
    owner.figures = { ...request.figures }
    if (request.isLeaving) return { ...this.#leave(request, claimed, receipts), missing }

    const isSender = this.#isSender(request)
    const isTold = isNewSender || (request.isResync && this.#sender?.owner === request.owner)
    return {
      storeId: this.#id,
      isLost: false,
      wasDone: undefined,
      receipts: receipts ?? [],
      isFull: receipts === undefined,
      claimed,
      missing,
      ...this.#arrivals(request, isSender, beforeAppend),
      orphans: request.isResync ? this.#claimedBy(request.owner) : orphans,
      isSender,
      others: this.#countOthers(request.owner),
      callAgesMs: isTold ? this.#calls.map((atMs) => this.#now() - atMs) : undefined,
      isFailover: isTold && this.#sender?.isFailover === true,
    }
  }

  async hasArrivals(seenUpTo: number): Promise<boolean> {
    return this.#sequence > seenUpTo
  }

  async readFleet(): Promise<FleetFigures> {
    const figures = { ...this.#pastFigures }
    for (const owner of this.#owners.values()) addFigures(figures, owner.figures)
    return { figures, records: this.#entries.size }
  }

  async close(): Promise<void> {}

  #registerOrRenew({ owner: name, isNew, leaseMs }: ExchangeRequest): Owner | undefined {
    if (this.#dead.has(name)) return undefined
    let owner = this.#owners.get(name)
    if (!owner) {
      if (!isNew) return undefined
      owner = { ...NEW_OWNER }
      this.#owners.set(name, owner)
    }
    owner.leaseUntilMs = this.#now() + leaseMs
    owner.isSpared = false
    return owner
  }

  #spareOthers({ leaseMs, outageMs }: ExchangeRequest): void {
    const untilMs = this.#now() + leaseMs
    for (const owner of this.#owners.values()) {
      const wasDead = owner.leaseUntilMs <= this.#now() - outageMs
      if (owner.isSpared || wasDead || owner.leaseUntilMs >= untilMs) continue
      owner.leaseUntilMs = untilMs
      owner.isSpared = true
    }
  }

  #isAlive(name: string): boolean {
    return (this.#owners.get(name)?.leaseUntilMs ?? 0) > this.#now()
  }

  #countOthers(name: string): number {
    return [...this.#owners.keys()].filter((other) => other !== name && this.#isAlive(other)).length
  }

  #isSender({ owner, box }: ExchangeRequest): boolean {
    return box === 'own' || this.#sender?.owner === owner
  }

  /** Returns whether the owner has become the sender. */
  #takeSenderRole({ owner, box, isLeaving }: ExchangeRequest): boolean {
    if (box === 'own' || isLeaving) return false
    if (this.#sender && this.#isAlive(this.#sender.owner)) return false
    this.#sender = { owner, isFailover: this.#sender !== undefined }
    return true
  }

  /** Returns what the dead owners had claimed. */
  #takeOver(request: ExchangeRequest): StoredRecord[] {
    // What an owner that leaves took over would be taken over from it, and counted again.
    if (request.isLeaving) return []
    for (const name of this.#owners.keys()) if (!this.#isAlive(name)) this.#bury(name)

    const orphans: StoredRecord[] = []
    let left = MAX_RECORDS
    for (const name of this.#dead) {
      const entries = [...this.#entries.values()]
      const claimed = entries.filter(({ claimedBy }) => claimedBy === name)
      const waiting = entries.filter((entry) => isWaitingIn(entry, name)).sort(bySequence)
      for (const entry of claimed.slice(0, left)) {
        entry.claimedBy = request.owner
        orphans.push(toRecord(entry))
      }
      left -= Math.min(left, claimed.length)
      for (const entry of waiting.slice(0, left)) this.#putIntoBox(entry, boxFor(request))
      left -= Math.min(left, waiting.length)
      if (left > 0) this.#dead.delete(name)
    }
    return orphans
  }

  #bury(name: string): void {
    const owner = this.#owners.get(name)
    if (!owner) return
    addFigures(this.#pastFigures, owner.figures, FORGOTTEN_FIGURES)
    this.#owners.delete(name)
    this.#past.set(name, { ...owner, diedAtMs: this.#now() })
    this.#dead.add(name)
  }

  #putIntoBox(entry: Entry, box: string): void {
    this.#sequence += 1
    entry.box = box
    entry.sequence = this.#sequence
    entry.claimedBy = undefined
  }

  #settle(request: ExchangeRequest, id: string): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    const isOwn = entry.claimedBy === request.owner || isWaitingIn(entry, boxFor(request))
    if (isOwn) this.#entries.delete(id)
  }

  #release(request: ExchangeRequest, { id, payload }: StoredRecord): void {
    const entry = this.#entries.get(id)
    if (entry?.claimedBy !== request.owner) return
    entry.payload = payload
    this.#putIntoBox(entry, boxFor(request))
  }

  #claim(request: ExchangeRequest): string[] {
    const { owner, claim } = request
    const isMine = (id: string) => this.#entries.get(id)?.claimedBy === owner
    // The answer to an earlier try of this step may have been lost.
    const claimed = claim.filter(isMine)
    const isPaused = this.#pause !== undefined
    if (!this.#isSender(request) || !this.#mayClaim(owner)) return claimed
    const isProbe = isPaused && (this.#pause?.untilMs ?? 0) <= this.#now()
    for (const id of claim) {
      const entry = this.#entries.get(id)
      if (!entry || !isWaitingIn(entry, boxFor(request))) continue
      entry.claimedBy = owner
      claimed.push(id)
      if (isProbe) {
        this.#pause = { owner, untilMs: this.#now() + request.probeMs, isProbe: true }
        break
      }
    }
    return claimed
  }

  #mayClaim(owner: string): boolean {
    const pause = this.#pause
    if (!pause || pause.untilMs <= this.#now()) return true
    return pause.owner === owner && !pause.isProbe
  }

  /** Returns `undefined` if it has no memory for it. */
  #append({ append, maxPending, dedupeTtlMs, ...request }: ExchangeRequest, owner: Owner) {
    if (!append) return []
    const last = owner.lastAppend
    const receiptForKnown = (entry: Entry | undefined): Receipt =>
      entry && isWaitingIn(entry, boxFor(request)) ? 'accepted' : 'handed-over'
    if (append.number === last?.number) {
      return append.records.map(({ id }, n) => {
        const receipt = last.receipts[n] ?? 'overflow'
        return receipt === 'accepted' ? receiptForKnown(this.#entries.get(id)) : receipt
      })
    }
    if (this.isFull) return undefined
    const receipts = append.records.map((record): Receipt => {
      const known = this.#entries.get(record.id)
      if (known) return receiptForKnown(known)
      if (this.#isRemembered(record)) return 'duplicate'
      if (this.#entries.size >= maxPending) return 'overflow'
      const { id, payload, dedupeKey } = record
      if (dedupeKey !== undefined) this.#keys.set(dedupeKey, this.#now() + dedupeTtlMs)
      const entry = { id, payload, box: '', sequence: 0, claimedBy: undefined }
      this.#putIntoBox(entry, boxFor(request))
      this.#entries.set(id, entry)
      return 'accepted'
    })
    owner.lastAppend = { number: append.number, receipts }
    return receipts
  }

  #isRemembered({ dedupeKey }: NewRecord): boolean {
    return dedupeKey !== undefined && (this.#keys.get(dedupeKey) ?? 0) > this.#now()
  }

  #recordCalls({ calls }: ExchangeRequest): void {
    for (let n = 0; n < calls; n += 1) this.#calls.push(this.#now())
  }

  #forgetCalls({ callsTtlMs }: ExchangeRequest): void {
    this.#calls = this.#calls.filter((atMs) => this.#now() - atMs < callsTtlMs)
  }

  #setPause({ owner, pauseMs }: ExchangeRequest): void {
    if (pauseMs === undefined) return
    const isOwn = this.#pause?.owner === owner
    const untilMs = this.#now() + pauseMs
    if (pauseMs === 0) this.#pause = isOwn ? undefined : this.#pause
    else if (isOwn || untilMs >= (this.#pause?.untilMs ?? 0)) {
      this.#pause = { owner, untilMs, isProbe: false }
    }
  }

  #leave(
    { owner, seenUpTo }: ExchangeRequest,
    claimed: readonly string[],
    receipts: readonly Receipt[] | undefined,
  ): ExchangeResponse {
    const others = this.#countOthers(owner)
    this.#bury(owner)
    if (this.#sender?.owner === owner) this.#sender = undefined
    const isFull = receipts === undefined
    const response = { ...EMPTY_RESPONSE, storeId: this.#id, claimed, seenUpTo, others }
    return { ...response, receipts: receipts ?? [], isFull }
  }

  /** @param upTo the last sequence before this step appended anything */
  #arrivals({ owner, box, seenUpTo }: ExchangeRequest, isSender: boolean, upTo: number) {
    // An owner that is not the sender has seen nothing: all of it arrives once it is.
    if (!isSender) return { arrivals: [], seenUpTo }
    const name = box === 'fleet' ? FLEET_BOX : owner
    const waiting = [...this.#entries.values()]
      .filter((entry) => isWaitingIn(entry, name))
      .filter(({ sequence }) => sequence > seenUpTo && sequence <= upTo)
      .sort(bySequence)
    const arrivals = waiting.slice(0, MAX_RECORDS)
    const last = arrivals.at(-1)
    return {
      arrivals: arrivals.map(toRecord),
      seenUpTo: last && waiting.length > arrivals.length ? last.sequence : this.#sequence,
    }
  }

  #lostResponse(request: ExchangeRequest): ExchangeResponse {
    const { seenUpTo } = request
    const lost = { ...EMPTY_RESPONSE, storeId: this.#id, isLost: true, seenUpTo }
    const past = this.#past.get(request.owner)
    if (!past || this.#now() - past.diedAtMs >= DAY_MS) return lost
    const wasDone = past.lastStep === request.step
    if (!wasDone || !request.append) return { ...lost, wasDone }
    const isFull = past.lastAppend?.number !== request.append.number
    return { ...lost, wasDone, isFull, receipts: isFull ? [] : (past.lastAppend?.receipts ?? []) }
  }

  #claimedBy(owner: string): StoredRecord[] {
    return [...this.#entries.values()].filter(({ claimedBy }) => claimedBy === owner).map(toRecord)
  }
}

function boxFor({ owner, box }: Pick<ExchangeRequest, 'owner' | 'box'>): string {
  return box === 'fleet' ? FLEET_BOX : owner
}

function isWaitingIn(entry: Entry, box: string): boolean {
  return entry.claimedBy === undefined && entry.box === box
}

function bySequence(one: Entry, other: Entry): number {
  return one.sequence - other.sequence
}

function toRecord({ id, payload }: Entry): StoredRecord {
  return { id, payload }
}

function addFigures(
  sums: Record<string, number>,
  figures: Readonly<Record<string, number>>,
  except: readonly string[] = [],
): void {
  for (const [name, count] of Object.entries(figures)) {
    if (!except.includes(name)) sums[name] = (sums[name] ?? 0) + count
  }
}
