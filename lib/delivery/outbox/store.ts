import type { Receipt } from './outbox.js'
import type { Figures } from './shared-figures.js'

/** Most records that a step moves from dead owners, and most that a response lists as arrivals. */
export const MAX_RECORDS = 1_000

/** An impression in a store. */
export interface StoredRecord {
  /** Unique in the store: an impression that is moved to another process keeps it. */
  readonly id: string
  /** The impression as text: the store does not read it. */
  readonly payload: string
}

export interface NewRecord extends StoredRecord {
  /** A record with a key that the store remembers is a `duplicate`. */
  readonly dedupeKey?: string
}

/**
 * What one process tells the store, and what it wants to know. The store does all of it in one
 * atomic step, in the order of these fields.
 */
export interface ExchangeRequest {
  /** Names the process: random, and a new one after it was `lost`. */
  readonly owner: string
  /** Grows by one with each step of the owner. A repeated step keeps its number. */
  readonly step: number
  /** Whether the owner registers. Otherwise an owner that the store does not know is `lost`. */
  readonly isNew: boolean
  /** For how long, from this step on, the owner may be silent before others take over from it. */
  readonly leaseMs: number
  /**
   * `fleet`: all records are in one box, which one owner at a time, the sender, may claim from.
   * `own`: each owner has a box, and only it may claim from that.
   */
  readonly box: 'fleet' | 'own'
  /**
   * Whether this repeats a step whose response was lost. The step may have been done: whatever it
   * asks for again then changes nothing and gets the same response.
   */
  readonly isResync: boolean
  /**
   * For how long the store has failed, if that is a large part of a lease; otherwise 0. Other owners
   * may have had no chance to renew their leases, so each gets one of at least `leaseMs` from now,
   * unless its own had ended before the store failed. It gets that only once until its next step:
   * otherwise, a process with a bad connection would keep the dead alive.
   */
  readonly outageMs: number
  /** The `seenUpTo` of the last response; 0 at first. */
  readonly seenUpTo: number
  /** Removes these records, whether claimed by the owner or waiting in its box. */
  readonly settle: readonly string[]
  /** These claimed records wait again, at the end of the box, with a new payload. */
  readonly release: readonly StoredRecord[]
  /** The owner claims these waiting records. One that it has claimed already counts as claimed. */
  readonly claim: readonly string[]
  /**
   * New records, which wait at the end of the box. The same number again is the same append: the
   * store repeats its receipts and stores nothing. But a record that was accepted then and does not
   * wait any more, because others have sent it, is now `handed-over`. Numbers of an owner grow by one.
   */
  readonly append: { readonly number: number; readonly records: readonly NewRecord[] } | undefined
  /** Most records in the store. A record beyond that is an `overflow`. */
  readonly maxPending: number
  /** How long a dedupe key is remembered. */
  readonly dedupeTtlMs: number
  /** Calls that the owner has begun since the last exchange. Remembered for `callsTtlMs`. */
  readonly calls: number
  /**
   * The network's longest window and the time that a call may take; 0 without windows, and no call
   * is remembered then.
   */
  readonly callsTtlMs: number
  /**
   * Nobody but this owner claims anything for so long, unless the pause of another one ends later
   * and stays. 0 ends the pause if it is this owner's; `undefined` changes nothing.
   */
  readonly pauseMs: number | undefined
  /** How long the one process that tries the network after a pause has for it. */
  readonly probeMs: number
  /** The owner's figures: counts by name. */
  readonly figures: Figures
  /** Whether the owner leaves: what it has not claimed is up to the others at once. */
  readonly isLeaving: boolean
}

/** What a step did. */
export interface ExchangeResponse {
  /**
   * Names the store, and is created with its first record or owner: with another id, the store has
   * lost everything that it had. Empty in an empty store.
   */
  readonly storeId: string
  /**
   * Whether others have taken over from the owner, or may have: nothing was done then, and none of
   * the owner's records belongs to it any more.
   */
  readonly isLost: boolean
  /**
   * For an owner that is lost: whether this step was done before others took over, when it was sent
   * before. Its `receipts` are then repeated. `undefined` if the store no longer knows.
   */
  readonly wasDone: boolean | undefined
  /** One per appended record. */
  readonly receipts: readonly Receipt[]
  /** Whether the store had no memory for the append, and has done everything but that. */
  readonly isFull: boolean
  /** The records that were claimed. Fewer than wanted during a pause, and one when it has ended. */
  readonly claimed: readonly string[]
  /** The records to be claimed that the store does not have: it has lost its last moments. */
  readonly missing: readonly string[]
  /**
   * Records that wait in the owner's box, or for the sender, since `seenUpTo`: at most `MAX_RECORDS`.
   * Without those that this step has appended, about which the receipts say enough.
   */
  readonly arrivals: readonly StoredRecord[]
  /** What to send as the next `seenUpTo`. */
  readonly seenUpTo: number
  /**
   * Records that dead owners had claimed, now claimed by this one: at most `MAX_RECORDS`. With
   * `isResync`, all records that this owner has claimed.
   */
  readonly orphans: readonly StoredRecord[]
  /** Whether the owner may claim: always in a box of its own. */
  readonly isSender: boolean
  /** Other owners whose lease has not expired. */
  readonly others: number
  /**
   * For an owner that becomes the sender, and with `isResync` for one that is: the ages of the calls
   * in the store, oldest first.
   */
  readonly callAgesMs: readonly number[] | undefined
  /** Whether the previous sender died: it may have begun calls that the store does not know. */
  readonly isFailover: boolean
}

/** The response of a step that did nothing. */
export const EMPTY_RESPONSE: ExchangeResponse = {
  storeId: '',
  isLost: false,
  wasDone: undefined,
  receipts: [],
  isFull: false,
  claimed: [],
  missing: [],
  arrivals: [],
  seenUpTo: 0,
  orphans: [],
  isSender: false,
  others: 0,
  callAgesMs: undefined,
  isFailover: false,
}

/** The sums of the figures of all owners, past ones included, and the number of records. */
export interface FleetFigures {
  readonly figures: Figures
  /** Records in the store, waiting or claimed. */
  readonly records: number
}

/**
 * One network's part of what several processes share: the only operations that an engine has to
 * provide. Everything else about leases and takeover is in `SharedOutbox`.
 *
 * An owner whose lease has expired is dead once anyone's exchange finds it so:
 *
 * - It is `isLost` at its next exchange. For a day, the store remembers its last step and the
 *   receipts of that, so that the owner learns what was done.
 * - What waits in its own box moves to the box of the owner that found it, and arrives there. What
 *   waits in the fleet's box stays. If it was the sender, the finder becomes the sender.
 * - What it had claimed is now claimed by the finder, and is among the response's `orphans`.
 * - Its figures are added to those of past owners; figures that do not count outcomes (`held`,
 *   `unstored`) are forgotten.
 *
 * An owner that leaves is treated the same way at once, without an `isFailover`. A step moves at
 * most `MAX_RECORDS`, and the next ones the rest.
 *
 * A pause: nobody but its owner claims anything until it has ended. Then the first other owner that
 * claims gets one record, and the pause is its own for another `probeMs`.
 */
export interface Store {
  exchange(request: ExchangeRequest): Promise<ExchangeResponse>
  /** Whether anything has been appended since `seenUpTo`: cheaper than an exchange. */
  hasArrivals(seenUpTo: number): Promise<boolean>
  readFleet(): Promise<FleetFigures>
  close(): Promise<void>
}
