import type { Receipt } from '../delivery/outbox/outbox.js'
import type {
  ExchangeRequest,
  ExchangeResponse,
  FleetFigures,
  StoredRecord,
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
    isAfterOutage: request.isAfterOutage,
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
  isLost?: boolean
  wasDone?: boolean
  /** One letter per record. */
  receipts: string
  claimed: string[] | object
  arrivals?: string[] | object
  seenUpTo: number
  orphans?: string[] | object
  isSender: boolean
  others: number
  nowMs?: number
  calls?: string[] | object
  isFailover: boolean
}

const RECEIPTS: Readonly<Record<string, Receipt>> = { A: 'accepted', D: 'duplicate', O: 'overflow' }

/** Decodes the reply of `EXCHANGE_SCRIPT`. */
export function decodeResponse(reply: string, { seenUpTo }: ExchangeRequest): ExchangeResponse {
  const encoded: EncodedResponse = JSON.parse(reply)
  const receipts = [...encoded.receipts].map((letter) => RECEIPTS[letter] ?? 'overflow')
  if (encoded.isLost) return { ...LOST, wasDone: encoded.wasDone, receipts, seenUpTo }
  const { nowMs, calls } = encoded
  return {
    isLost: false,
    wasDone: undefined,
    receipts,
    claimed: toArray(encoded.claimed),
    arrivals: toRecords(encoded.arrivals),
    seenUpTo: encoded.seenUpTo,
    orphans: toRecords(encoded.orphans),
    isSender: encoded.isSender,
    others: encoded.others,
    callAgesMs: nowMs === undefined ? undefined : toAges(toArray(calls), nowMs),
    isFailover: encoded.isFailover,
  }
}

const LOST: ExchangeResponse = {
  isLost: true,
  wasDone: undefined,
  receipts: [],
  claimed: [],
  arrivals: [],
  seenUpTo: 0,
  orphans: [],
  isSender: false,
  others: 0,
  callAgesMs: undefined,
  isFailover: false,
}

function toArray(list: string[] | object | undefined): string[] {
  return Array.isArray(list) ? list : []
}

function toRecords(list: string[] | object | undefined): StoredRecord[] {
  const flat = toArray(list)
  const records: StoredRecord[] = []
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [id, payload] = flat.slice(at, at + 2)
    // Without a payload it was evicted: the server is not to evict anything.
    if (typeof id === 'string' && typeof payload === 'string') records.push({ id, payload })
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

/** A reply of `FLEET_SCRIPT`. */
interface EncodedFleet {
  records: number
  /** Names and counts, in turns. */
  past: string[] | object
  /** JSON of each owner's figures. */
  owners: string[] | object
}

/** Decodes the reply of `FLEET_SCRIPT`. */
export function decodeFleet(reply: string): FleetFigures {
  const encoded: EncodedFleet = JSON.parse(reply)
  const figures: Record<string, number> = {}
  const add = (name: string, count: number) => {
    figures[name] = (figures[name] ?? 0) + count
  }
  const past = toArray(encoded.past)
  for (let at = 0; at + 1 < past.length; at += 2) add(past[at] ?? '', Number(past[at + 1]))
  for (const owner of toArray(encoded.owners)) {
    const counts: Record<string, number> = JSON.parse(owner)
    for (const [name, count] of Object.entries(counts)) add(name, count)
  }
  return { figures, records: encoded.records }
}
