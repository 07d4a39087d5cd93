import { asBinary, type Database } from 'lmdb'
import { addFigures, type Figures } from '../delivery/outbox/shared-figures.js'
import type { StoredRecord } from '../delivery/outbox/store.js'
import {
  dedupeKeyKey,
  expiryKey,
  type Location,
  numberKey,
  recordKey,
  TABLE,
  textKey,
  timeKey,
} from './keys.js'
import { type Owner, parseState, type State, serializeState } from './state.js'

/** What a past owner did last. */
export interface PastOwner {
  readonly step: number
  /** Of its last append: one letter per record. */
  readonly receipts: string
}

export interface PlacedRecord extends StoredRecord, Location {}

/** A sequence has six bytes in keys, and the next number has to fit as well. */
const MAX_SEQUENCE = 2 ** 48 - 2

/** Where the figures of past owners are. */
const PAST_OWNERS = 0

/** One network's rows. Everything but `readState` and `sumFigures` runs in a write transaction. */
export class Tables {
  readonly #db: Database<unknown, Buffer>

  constructor(db: Database<unknown, Buffer>) {
    this.#db = db
  }

  readState(): State {
    return parseState(this.#db.get(STATE_KEY))
  }

  writeState(state: State): void {
    this.#put(STATE_KEY, serializeState(state))
  }

  putFigures(owner: number, figures: Figures): void {
    this.#put(numberKey(TABLE.figures, owner), figures)
  }

  /** Adds figures of an owner to those of past owners, and removes its own. */
  addPastFigures(owner: number, figures: Figures): void {
    const past = { ...this.figuresOf(PAST_OWNERS) }
    addFigures(past, figures)
    this.putFigures(PAST_OWNERS, past)
    this.#remove(numberKey(TABLE.figures, owner))
  }

  figuresOf(owner: number): Figures {
    return (this.#db.get(numberKey(TABLE.figures, owner)) as Figures | undefined) ?? {}
  }

  /** Of all owners, past ones included. */
  sumFigures(): Figures {
    const sums: Record<string, number> = {}
    const range = { start: Buffer.of(TABLE.figures), end: Buffer.of(TABLE.figures + 1) }
    for (const { value } of this.#db.getRange(range)) addFigures(sums, value as Figures)
    return sums
  }

  /** Of the owner's last append: one letter per record. */
  receiptsOf(owner: number): string {
    return (this.#db.get(numberKey(TABLE.receipts, owner)) as string | undefined) ?? ''
  }

  putReceipts(owner: number, letters: string): void {
    this.#put(numberKey(TABLE.receipts, owner), letters)
  }

  removeReceipts(owner: number): void {
    this.#remove(numberKey(TABLE.receipts, owner))
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
