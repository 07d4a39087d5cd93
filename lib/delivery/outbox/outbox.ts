import type { Clock } from '../../clock.js'
import type { Impression, Outcome } from '../../impression.js'
import type { Log } from '../../logger.js'
import type { Figures } from './shared-figures.js'

/** A value, or a promise of it: the memory outbox answers at once, without the cost of a promise. */
export type Awaitable<Value> = Value | Promise<Value>

/**
 * The result of an append.
 *
 * - `duplicate`: another process has accepted the impression already.
 * - `handed-over`: accepted, and another process sends it.
 * - `uncertain`: others took over from this process while it was not clear whether it was accepted.
 * - `unstorable`: JSON cannot represent its item, so it ends as `invalid`.
 */
export type Receipt =
  | 'accepted'
  | 'duplicate'
  | 'overflow'
  | 'handed-over'
  | 'uncertain'
  | 'unstorable'

/** Impressions that this process is to send, and that may share one call. */
export interface Claim {
  /** The impressions, in the order in which they are sent. */
  readonly impressions: readonly Impression[]
  /**
   * A fencing token: proves that the claim still holds when it is settled or released. An outbox
   * that several processes share may have given the claim to another one meanwhile.
   */
  readonly fence?: string | number
}

/** What an outbox is opened with. */
export interface OutboxOptions {
  /** The network whose impressions it holds. */
  readonly network: string
  /** Most impressions in it, waiting and claimed. */
  readonly maxPending: number
  /** Most impressions that a call carries. */
  readonly maxBatch: number
  /** The length of the network's longest rate limit window, in milliseconds; 0 without windows. */
  readonly longestWindowMs: number
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number
  /** How long it has to remember the dedupe keys of impressions, in milliseconds. */
  readonly dedupeTtlMs: number
  /** This process's figures, by name, as in `stats()`. They include those of inputs without a network. */
  readonly figures: () => Figures
  /** The tracker's time and timers. */
  readonly clock: Clock
  /** The tracker's log. */
  readonly log: Log
}

/** Opens the outbox of one network: the type of the option `outbox`. */
export type OpenOutbox = (options: OutboxOptions) => Outbox

/** What an outbox tells this process about others that share it. */
export interface OutboxEvents {
  /** More impressions may be claimed than before. */
  onReady(): void
  /** A process that died had claimed these: they may have counted. They are claimed here now. */
  onOrphans(claim: Claim): void
  /** Stands for a record that could not be read, and that the outbox has removed. */
  onUnreadable(impression: Impression, outcome: Outcome): void
  /** The outbox has lost these, and they may have been sent. */
  onUncertain(impressions: readonly Impression[]): void
  /** The outbox had lost an impression of this process, or of another one, that waited here. */
  onAppendedAgain(impression: Impression, receipt: Receipt): void
  /** Other processes have taken over these impressions. */
  onHandedOver(impressions: readonly Impression[]): void
  /**
   * From now on, this process makes all calls.
   *
   * @param agesMs how long ago each earlier call ended at the latest, oldest first; negative for one
   * that may still be in flight
   */
  onCallHistory(agesMs: readonly number[]): void
}

/** What an outbox adds that several processes share. */
export interface Fleet {
  /** Whether what this process has claimed certainly still belongs to it. */
  readonly isLeaseValid: boolean
  /** Whether a call may begin. `onReady` tells when it may again. */
  readonly mayCall: boolean
  /** A call to the network begins. */
  onCall(): void
  /**
   * A call has ended that says something about the network to every process.
   *
   * @param pauseMs for how long no process may call the network; 0 if it answers
   */
  onCallEnd(pauseMs: number): void
  /** The sums of the figures of all processes, past ones included. Rejects if the outbox fails. */
  readFigures(): Promise<Figures>
  /** Leaves what this process has not claimed to others. Nothing but `abandon` is called after that. */
  leave(): Promise<void>
  /**
   * Gives up an outbox that has not answered everything, and sends nothing more to it.
   *
   * @returns the impressions that it may have accepted, or not
   */
  abandon(): readonly Impression[]
}

/**
 * Where one network's accepted impressions wait. An impression is in it from `append` until it is
 * settled. In between it is claimed for a call, and then settled or released to wait again.
 *
 * Every method may answer at once or with a promise, which must settle some time. If it throws or
 * rejects, the caller tries again later: an impression that was stored nevertheless is then
 * `accepted` again, and stored once.
 *
 * An impression that another process appended has `sequence` 0.
 */
export interface Outbox {
  /** Impressions that wait for a claim, as far as this process knows. */
  readonly waiting: number
  /** Whether `maxBatch` impressions that may share one call wait, so that none could be added. */
  readonly hasFullBatch: boolean
  /** The `trackedAtMs` of the impression that is claimed next. */
  readonly nextTrackedAtMs: number | undefined
  /** Stores an impression, unless the outbox is full. */
  append(impression: Impression): Awaitable<Receipt>
  /**
   * Up to `max` impressions that may share one call; `undefined` if none waits (any more).
   *
   * @param isMixed whether batch keys may differ, as when quota is too short for a call each
   */
  claim(max: number, isMixed?: boolean): Awaitable<Claim | undefined>
  /** These impressions of the claim have their outcome. */
  settle(claim: Claim, impressions: readonly Impression[], outcome: Outcome): Awaitable<void>
  /** These impressions of the claim wait again. */
  release(claim: Claim, impressions: readonly Impression[]): Awaitable<void>
  /** Removes every waiting impression of this process whose `trackedAtMs` is lower. */
  expire(beforeMs: number): Awaitable<readonly Impression[]>
  /**
   * Takes over from a process that died: what it had not sent waits again, and what it had in
   * flight is returned, since its outcome is `uncertain`. Called once, at the start. An outbox that
   * takes over later, too, calls `events`.
   */
  recover(events: OutboxEvents): Awaitable<readonly Impression[]>
  /** Only if several processes share it. */
  readonly fleet?: Fleet
}
