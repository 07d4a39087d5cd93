import type { Impression } from '../../impression.js'

/** A value, or a promise of it: the memory outbox answers at once, without the cost of a promise. */
export type Awaitable<Value> = Value | Promise<Value>

/** The result of an append. `duplicate`: another process has accepted the impression already. */
export type Receipt = 'accepted' | 'duplicate' | 'overflow'

/** Impressions that this process is to send, and that may share one call. */
export interface Claim {
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
}

/** Opens the outbox of one network: the type of the option `outbox`. */
export type OpenOutbox = (options: OutboxOptions) => Outbox

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
  append(impression: Impression): Awaitable<Receipt>
  /**
   * Up to `max` impressions that may share one call; `undefined` if none waits (any more).
   *
   * @param isMixed whether batch keys may differ, as when quota is too short for a call each
   */
  claim(max: number, isMixed?: boolean): Awaitable<Claim | undefined>
  /** These impressions of the claim have their outcome. */
  settle(claim: Claim, impressions: readonly Impression[]): Awaitable<void>
  /** These impressions of the claim wait again. */
  release(claim: Claim, impressions: readonly Impression[]): Awaitable<void>
  /** Removes every waiting impression of this process whose `trackedAtMs` is lower. */
  expire(beforeMs: number): Awaitable<readonly Impression[]>
  /**
   * Takes over from a process that died: what it had not sent waits again, and what it had in
   * flight is returned, since its outcome is `uncertain`. Called once, at the start.
   */
  recover(): Awaitable<readonly Impression[]>
}
