import type { Receipt } from '../delivery/outbox/outbox.js'
import {
  EMPTY_RESPONSE,
  type ExchangeRequest,
  type ExchangeResponse,
  type StoredRecord,
} from '../delivery/outbox/store.js'
import { dedupeKeyName, exchangeKeys } from './keys.js'

/** The `KEYS` and the only `ARGV` of a script. */
export interface EncodedArguments {
  readonly keys: string[]
  readonly argument: string
}

/** Encodes a request for `EXCHANGE_SCRIPT`. */
export function encodeRequest(base: string, request: ExchangeRequest): EncodedArguments {
  const { append, settle, release, claim, figures, pauseMs } = request
  const keys = exchangeKeys(base, request.owner, request.box)
  const records = append?.records.map(({ id, payload, dedupeKey }) => {
    const record = [id, payload.toWellFormed()]
    return dedupeKey === undefined ? record : [...record, keys.push(dedupeKeyName(base, dedupeKey))]
  })
  // `JSON.stringify` leaves `undefined` out, which Lua reads as `nil`.
  const argument = JSON.stringify({
    owner: request.owner,
    step: request.step,
    isNew: request.isNew,
    box: request.box,
    isResync: request.isResync,
    outageMs: Math.ceil(request.outageMs),
    isLeaving: request.isLeaving,
    seenUpTo: request.seenUpTo,
    leaseMs: Math.ceil(request.leaseMs),
    settle,
    release: release.map(({ id, payload }) => [id, payload.toWellFormed()]),
    claim,
    append: append && { number: append.number, records },
    maxPending: request.maxPending,
    dedupeTtlMs: Math.max(1, Math.ceil(request.dedupeTtlMs)),
    calls: request.calls,
    callsTtlMs: Math.ceil(request.callsTtlMs),
    pauseMs: pauseMs === undefined ? undefined : Math.ceil(pauseMs),
    probeMs: Math.ceil(request.probeMs),
    figures: JSON.stringify(figures),
  })
  return { keys, argument }
}

/** A response as `EXCHANGE_SCRIPT` encodes it. An empty array is an empty object in its JSON. */
interface EncodedResponse {
  storeId: string
  isLost?: boolean
  wasDone?: boolean
  /** One letter per record. */
  receipts: string
  isFull: boolean
  claimed: string[] | object
  missing?: string[] | object
  arrivals?: string[] | object
  seenUpTo: number
  orphans?: string[] | object
  isSender: boolean
  others: number
  nowMs?: number
  calls?: string[] | object
  isFailover: boolean
}

const RECEIPTS: Readonly<Record<string, Receipt>> = {
  A: 'accepted',
  D: 'duplicate',
  O: 'overflow',
  H: 'handed-over',
}

/** Decodes the reply of `EXCHANGE_SCRIPT`. */
export function decodeResponse(reply: string, { seenUpTo }: ExchangeRequest): ExchangeResponse {
  const encoded: EncodedResponse = JSON.parse(reply)
  const receipts = [...encoded.receipts].map((letter) => RECEIPTS[letter] ?? 'overflow')
  const { isLost = false, storeId, nowMs, calls, isFull, wasDone } = encoded
  if (isLost) return { ...EMPTY_RESPONSE, storeId, isLost, wasDone, receipts, isFull, seenUpTo }
  return {
    storeId,
    isLost,
    wasDone,
    receipts,
    isFull,
    claimed: toArray(encoded.claimed),
    missing: toArray(encoded.missing),
    arrivals: toRecords(encoded.arrivals),
    seenUpTo: encoded.seenUpTo,
    orphans: toRecords(encoded.orphans),
    isSender: encoded.isSender,
    others: encoded.others,
    callAgesMs: nowMs === undefined ? undefined : toAges(toArray(calls), nowMs),
    isFailover: encoded.isFailover,
  }
}

function toArray(list: string[] | object | undefined): string[] {
  return Array.isArray(list) ? list : []
}

function toRecords(list: string[] | object | undefined): StoredRecord[] {
  const flat = toArray(list)
  const records: StoredRecord[] = []
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [id, payload] = flat.slice(at, at + 2)
    if (id !== undefined && payload !== undefined) records.push({ id, payload })
  }
  return records
}

/** The age of each call: an entry is `<time in ms>:<number of calls>`. */
function toAges(entries: readonly string[], nowMs: number): number[] {
  return entries.flatMap((entry) => {
    const [atMs, calls] = entry.split(':').map(Number)
    return new Array<number>(calls ?? 0).fill(Math.max(0, nowMs - (atMs ?? 0)))
  })
}
