import { createHash } from 'node:crypto'

/** The first byte of each key. */
export const TABLE = {
  state: 0,
  figures: 1,
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

/** Where a record is: in a box, or with the owner that has claimed it. */
export interface Location {
  /** A number: `FLEET_BOX`, `ownBox(owner)` or `claimPlace(owner)`. */
  readonly place: number
  /** Orders the place, and is unique in the store. */
  readonly sequence: number
}

export const FLEET_BOX = 0
export const ownBox = (owner: number): number => owner * 2
export const claimPlace = (owner: number): number => owner * 2 + 1

export function numberKey(table: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(5)
  key[0] = table
  key.writeUInt32BE(number, 1)
  return key
}

export function timeKey(table: number, timeMs: number): Buffer {
  const key = Buffer.allocUnsafe(7)
  key[0] = table
  key.writeUIntBE(timeMs, 1, 6)
  return key
}

export function recordKey({ place, sequence }: Location): Buffer {
  const key = Buffer.allocUnsafe(11)
  key[0] = TABLE.record
  key.writeUInt32BE(place, 1)
  key.writeUIntBE(sequence, 5, 6)
  return key
}

export function textKey(table: number, text: string): Buffer {
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
export function dedupeKeyKey(dedupeKey: string): Buffer {
  const hash = createHash('sha256').update(dedupeKey).digest()
  return Buffer.concat([Buffer.of(TABLE.key), hash.subarray(0, 16)])
}

export function expiryKey(untilMs: number, key: Buffer): Buffer {
  return Buffer.concat([timeKey(TABLE.expiry, untilMs), key.subarray(1)])
}
