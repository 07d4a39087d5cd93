import { createHash } from 'node:crypto'
import { asBinary, type Database } from 'lmdb'
import type { StoredRecord } from '../delivery/outbox/store.js'

/** The first byte of each key. */
const TABLE = {
  state: 0,
  owner: 1,
  receipts: 2,
  record: 3,
  id: 4,
  key: 5,
  expiry: 6,
  calls: 7,
  past: 8,
}

/** Longer names and ids are hashed: LMDB limits keys to 1,978 bytes. */
const MAX_TEXT_BYTES = 500

/** What one network's processes share, apart from the rows of the other tables. */
export interface State {
  /** Of the tables' layout. */
  readonly version: number
  /** See `ExchangeResponse.storeId`: the name of the first owner. */
  id: string
  /** The store's clock, and the machine's clocks when it was last read. */
  timeMs: number
  monotonicMs: number
  wallMs: number
  /** Of the record that was put into a box last. */
  sequence: number
  /** Records in all places. */
  records: number
  lastOwner: number
  /** The number of the owner that has, or had, the sender's role. */
  sender: number | undefined
  isFailover: boolean
  pause: Pause | undefined
  /** Sums of the figures of past owners. */
  pastFigures: Readonly<Record<string, number>>
}

export interface Pause {
  readonly owner: number
  readonly untilMs: number
  /** Whether the owner has its one record, and gets no other before it ends or prolongs the pause. */
  readonly isProbe: boolean
}

export interface Owner {
  readonly name: string
  /** Names the owner in other rows. Numbers start at 1. */
  readonly number: number
  /** `undefined` for a dead owner of which records are left to be moved. */
  readonly leaseUntilMs: number | undefined
  readonly figures: Readonly<Record<string, number>>
  /** The number of its last step. */
  readonly step: number
}

export interface Receipts {
  /** Of the append. */
  readonly number: number
  /** One letter per record. */
  readonly letters: string
}

/** What a past owner did last. */
export interface PastOwner {
  readonly step: number
  readonly receipts: Receipts | undefined
}

/** Where a record is: in a box, or with the owner that has claimed it. */
export interface Location {
  /** A number: `FLEET_BOX`, `ownBox(owner)` or `claimPlace(owner)`. */
  readonly place: number
  /** Orders the place, and is unique in the store. */
  readonly sequence: number
}

export interface PlacedRecord extends StoredRecord, Location {}

/** A sequence has six bytes in keys, and the next number has to fit as well. */
const MAX_SEQUENCE = 2 ** 48 - 2

export const FLEET_BOX = 0
export const ownBox = (owner: number): number => owner * 2
export const claimPlace = (owner: number): number => owner * 2 + 1

const FIRST_STATE: State = {
  version: 1,
  id: '',
  timeMs: 0,
  monotonicMs: 0,
  wallMs: 0,
  sequence: 0,
  records: 0,
  lastOwner: 0,
  sender: undefined,
  isFailover: false,
  pause: undefined,
  pastFigures: {},
}

/** One network's rows. Everything but `readState` and `listOwners` runs in a write transaction. */
export class Tables {
  readonly #db: Database<unknown, Buffer>

  constructor(db: Database<unknown, Buffer>) {
    this.#db = db
  }

  readState(): State {
    const state = this.#db.get(STATE_KEY) as State | undefined
    if (state && state.version !== FIRST_STATE.version) {
      throw new Error(`its layout has version ${state.version}: this release reads version 1`)
    }
    return state ?? { ...FIRST_STATE }
  }

  writeState(state: State): void {
    this.#put(STATE_KEY, state)
  }

  listOwners(): Owner[] {
    const range = this.#db.getRange({
      start: Buffer.of(TABLE.owner),
      end: Buffer.of(TABLE.owner + 1),
    })
    return Array.from(range, ({ value }) => value as Owner)
  }

  putOwner(owner: Owner): void {
    this.#put(textKey(TABLE.owner, owner.name), owner)
  }

  removeOwner(owner: Owner): void {
    this.#remove(textKey(TABLE.owner, owner.name))
    this.#remove(numberKey(TABLE.receipts, owner.number))
  }

  receiptsOf(owner: number): Receipts | undefined {
    return this.#db.get(numberKey(TABLE.receipts, owner)) as Receipts | undefined
  }

  putReceipts(owner: number, receipts: Receipts): void {
    this.#put(numberKey(TABLE.receipts, owner), receipts)
  }

  /** Remembers the owner's last step for a while. */
  putPastOwner({ name, number, step }: Owner, untilMs: number): void {
    const key = Buffer.concat([timeKey(TABLE.past, untilMs), textKey(TABLE.past, name).subarray(1)])
    const past: PastOwner = { step, receipts: this.receiptsOf(number) }
    this.#put(key, past)
  }

  findPastOwner(name: string): PastOwner | undefined {
    const end = textKey(TABLE.past, name).subarray(1)
    const range = { start: Buffer.of(TABLE.past), end: Buffer.of(TABLE.past + 1) }
    const key = Array.from(this.#db.getKeys(range)).find((past) => past.subarray(7).equals(end))
    return key && (this.#db.get(key) as PastOwner | undefined)
  }

  forgetPastOwners(nowMs: number): void {
    const start = Buffer.of(TABLE.past)
    const end = timeKey(TABLE.past, nowMs + 1)
    for (const key of Array.from(this.#db.getKeys({ start, end }))) this.#remove(key)
  }

  locate(id: string): Location | undefined {
    const location = this.#db.get(textKey(TABLE.id, id)) as [number, number] | undefined
    return location && { place: location[0], sequence: location[1] }
  }

  /** The first records of a place, in order: those with sequences after `after` up to `upTo`. */
  listRecords(
    place: number,
    limit = Number.POSITIVE_INFINITY,
    { after = 0, upTo = MAX_SEQUENCE } = {},
  ): PlacedRecord[] {
    const start = recordKey({ place, sequence: after + 1 })
    const end = recordKey({ place, sequence: upTo + 1 })
    return Array.from(this.#db.getRange({ start, end, limit }), ({ key, value }) => {
      const [id, payload] = value as [string, string]
      return { id, payload, place, sequence: key.readUIntBE(5, 6) }
    })
  }

  putRecord({ id, payload }: StoredRecord, location: Location): void {
    this.#put(recordKey(location), [id, payload])
    this.#putLocation(id, location)
  }

  /** @param payload the new payload; by default, it stays */
  moveRecord(id: string, from: Location, to: Location, payload?: string): void {
    const key = recordKey(from)
    if (payload === undefined) {
      const row = this.#db.getBinary(key)
      if (!row) throw new Error('it has lost a record')
      this.#put(recordKey(to), asBinary(row))
      this.#putLocation(id, to)
    } else {
      this.putRecord({ id, payload }, to)
    }
    this.#remove(key)
  }

  removeRecord(id: string, location: Location): void {
    this.#remove(recordKey(location))
    this.#remove(textKey(TABLE.id, id))
  }

  /** When the dedupe key is forgotten: it may be in the past. */
  expiryOf(dedupeKey: string): number {
    return (this.#db.get(dedupeKeyKey(dedupeKey)) as number | undefined) ?? 0
  }

  rememberKey(dedupeKey: string, untilMs: number): void {
    const key = dedupeKeyKey(dedupeKey)
    const oldUntilMs = this.#db.get(key) as number | undefined
    if (oldUntilMs !== undefined) this.#remove(expiryKey(oldUntilMs, key))
    this.#put(key, untilMs)
    this.#put(expiryKey(untilMs, key), true)
  }

  /** Forgets up to `limit` dedupe keys that have expired. */
  forgetExpiredKeys(nowMs: number, limit: number): void {
    const start = Buffer.of(TABLE.expiry)
    const end = timeKey(TABLE.expiry, nowMs + 1)
    for (const key of Array.from(this.#db.getKeys({ start, end, limit }))) {
      this.#remove(key)
      this.#remove(Buffer.concat([Buffer.of(TABLE.key), key.subarray(7)]))
    }
  }

  addCalls(atMs: number, count: number): void {
    const key = timeKey(TABLE.calls, atMs)
    this.#put(key, ((this.#db.get(key) as number | undefined) ?? 0) + count)
  }

  /** Forgets the calls that were begun before or at this time. */
  forgetCalls(untilMs: number): void {
    const start = Buffer.of(TABLE.calls)
    const end = timeKey(TABLE.calls, Math.max(untilMs + 1, 0))
    for (const key of Array.from(this.#db.getKeys({ start, end }))) this.#remove(key)
  }

  /** When each call was begun, in order. */
  listCalls(): number[] {
    const range = this.#db.getRange({
      start: Buffer.of(TABLE.calls),
      end: Buffer.of(TABLE.calls + 1),
    })
    return Array.from(range).flatMap(({ key, value }) =>
      Array<number>(value as number).fill(key.readUIntBE(1, 6)),
    )
  }

  #putLocation(id: string, { place, sequence }: Location): void {
    this.#put(textKey(TABLE.id, id), [place, sequence])
  }

  #put(key: Buffer, value: unknown): void {
    this.#db.putSync(key, value)
  }

  #remove(key: Buffer): void {
    this.#db.removeSync(key)
  }
}

const STATE_KEY = Buffer.of(TABLE.state)

function numberKey(table: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(5)
  key[0] = table
  key.writeUInt32BE(number, 1)
  return key
}

function timeKey(table: number, timeMs: number): Buffer {
  const key = Buffer.allocUnsafe(7)
  key[0] = table
  key.writeUIntBE(timeMs, 1, 6)
  return key
}

function recordKey({ place, sequence }: Location): Buffer {
  const key = Buffer.allocUnsafe(11)
  key[0] = TABLE.record
  key.writeUInt32BE(place, 1)
  key.writeUIntBE(sequence, 5, 6)
  return key
}

function textKey(table: number, text: string): Buffer {
  const length = Buffer.byteLength(text)
  if (length > MAX_TEXT_BYTES) {
    return Buffer.concat([Buffer.of(table, 1), createHash('sha256').update(text).digest()])
  }
  const key = Buffer.allocUnsafe(2 + length)
  key[0] = table
  key[1] = 0
  key.write(text, 2)
  return key
}

/** Always hashed: half of a SHA-256 is shorter than a request id and a campaign's. */
function dedupeKeyKey(dedupeKey: string): Buffer {
  const hash = createHash('sha256').update(dedupeKey).digest()
  return Buffer.concat([Buffer.of(TABLE.key), hash.subarray(0, 16)])
}

function expiryKey(untilMs: number, key: Buffer): Buffer {
  return Buffer.concat([timeKey(TABLE.expiry, untilMs), key.subarray(1)])
}
