import type { Reason } from './reason.js'

/** Every impression ends in exactly one of these. */
export const OUTCOMES = [
  'delivered',
  'duplicate',
  'suppressed',
  'invalid',
  'rejected',
  'uncertain',
  'dropped',
] as const

/**
 * The final state of an impression. See docs/outcomes.md.
 *
 * @useDeclaredType
 */
export type Outcome = (typeof OUTCOMES)[number]

/** One display of one campaign to one viewer. It is valid and admitted. */
export interface Impression<Item = unknown> {
  /** The network's name, as in `stats()`. */
  readonly network: string
  /** The page load in which the campaign was displayed. */
  readonly requestId: string
  /** In the network's format: an integer for ENS, a shortuuid for Closient. */
  readonly campaignId: string | number
  /** Where it was displayed. For outcome events. */
  readonly placement?: string | undefined
  /** The offer that was displayed. For outcome events. */
  readonly offerId?: string | undefined
  /** Method and path of the request that displayed it, if the log has debug messages or the inspector is on. */
  readonly page?: string | undefined
  /** Impressions with the same key may share one call. For Closient it is the search query. */
  readonly batchKey: string
  /** The result of the network's `parse`. Only that network reads it. */
  readonly item: Item
  /**
   * When it was tracked: milliseconds since the Unix epoch, by the monotonic clock of its process.
   * So the times of one process never jump, and those of two differ by as much as the system's
   * clock was set between their starts.
   */
  readonly trackedAtMs: number
  /** How many calls have contained it so far. */
  attempts: number
  /** Its place in the order in which delivery accepted impressions here; 0 before that. */
  sequence: number
  /** The figure that counts it now. Only `NetworkStatistics` writes it. */
  countedAs?: Outcome | 'held' | 'pending' | 'handed-over' | undefined
  /** Set once it was sent and may have counted: it can no longer end as never sent. */
  isMaybeCounted?: true
  /** Set if other processes may get the same campaign of the same page load. */
  dedupeKey?: string
}

/** What a network's `parse` and a token say about an impression. */
export interface ImpressionDetails {
  readonly campaignId: string | number
  readonly placement?: string | undefined
  readonly offerId?: string | undefined
  /** Default: empty. */
  readonly batchKey?: string | undefined
  readonly item: unknown
}

/**
 * The only place where impressions are made, so that all have the same shape.
 *
 * @param network its name
 * @param trackedAtMs by `Clock.now()`
 * @param page method and path of its request, for debug messages and the inspector
 */
export function createImpression(
  network: string,
  requestId: string,
  { campaignId, placement, offerId, batchKey = '', item }: ImpressionDetails,
  trackedAtMs: number,
  page?: string,
): Impression {
  return {
    network,
    requestId,
    campaignId,
    placement,
    offerId,
    page,
    batchKey,
    item,
    trackedAtMs,
    attempts: 0,
    sequence: 0,
    countedAs: undefined,
  }
}

/** What an outcome is about: an impression, or an input that did not become one. */
export interface OutcomeSubject
  extends Pick<Impression, 'network' | 'requestId' | 'attempts' | 'trackedAtMs' | 'countedAs'> {
  readonly campaignId: string | number | undefined
  readonly placement?: string | undefined
  readonly offerId?: string | undefined
  readonly page?: string | undefined
}

/** The event of `on('outcome')` and of the diagnostics channel `ad-impressions:outcome`. */
export interface OutcomeEvent {
  /** The network's name; `unknown` for an invalid input that matches no network. */
  readonly network: string
  /** How the impression ended. */
  readonly outcome: Outcome
  /** A stable code and a sentence that a person can act on: see docs/reasons.md. */
  readonly reason: Reason
  /** The page load's id. */
  readonly requestId: string
  /** In the network's format; `undefined` if the input has no valid one. */
  readonly campaignId: string | number | undefined
  /** Where the campaign was displayed; absent if the input does not tell, as Closient's do not. */
  readonly placement?: string
  /** The offer that was displayed; absent if the input does not tell. */
  readonly offerId?: string
  /** How many calls contained it: 0 if it was never sent. */
  readonly attempts: number
  /** Time from `trackImpression` to the outcome, in milliseconds. */
  readonly latencyMs: number
}

/** The page load that a request belongs to. */
export interface PageLoadIdentity {
  /** Names the page load. */
  readonly requestId: string
  /** Whether a later request can carry the same id. */
  readonly canRecur: boolean
}

/** V8 copies shorter parts of a string anyway (`SlicedString::kMinLength`). */
const MIN_SLICE_CHARACTERS = 13

/**
 * A copy of a text, for keeping. V8 stores a part of a string as a reference to the whole, so an id
 * that was cut out of a 15 kB header keeps all of the header in memory for as long as it is kept
 * itself. Whatever comes from a header, URL, query, cookie or body and outlives its request is copied
 * here first. A text that was put together from parts becomes one piece.
 */
export function copyText(text: string): string {
  if (text.length < MIN_SLICE_CHARACTERS) return text
  // To cut a concatenation, V8 first writes it to memory of its own.
  return ` ${text}`.slice(1)
}
