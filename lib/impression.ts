/** Every impression ends in exactly one of these (see the README, "Outcomes"). */
export const OUTCOMES = [
  'delivered',
  'duplicate',
  'suppressed',
  'invalid',
  'rejected',
  'uncertain',
  'dropped',
] as const

/** What became of an impression. */
export type Outcome = (typeof OUTCOMES)[number]

/** Why an impression was not a display, and so was not counted. */
export type Suppression =
  | 'bot'
  | 'prefetch'
  | 'head'
  | 'no-consent'
  | 'aborted'
  | 'redirect'
  | 'server-error'

/** Why an impression was given up before it was ever sent. */
export type Drop = 'overflow' | 'expired' | 'closed'

/** One display of one campaign to one viewer, valid and admitted, on its way to its network. */
export interface Impression<Item = unknown> {
  /** The network's name, as in `stats()`. */
  readonly network: string
  /** The page load in which the campaign was displayed. */
  readonly requestId: string
  /** As the network spells it: an integer for ENS, a shortuuid for Closient. */
  readonly campaignId: string | number
  /** Impressions with the same key may share one call: Closient's search query. */
  readonly batchKey: string
  /** What the network's `parse` made of the input; only that network reads it. */
  readonly item: Item
  /**
   * When it was tracked: milliseconds since the Unix epoch, by the monotonic clock of its process.
   * So the times of one process never jump, and those of two differ by as much as the system's
   * clock was set between their starts.
   */
  readonly trackedAtMs: number
  /** Calls that carried it so far. */
  attempts: number
  /** Its place in the order in which delivery accepted impressions here; 0 before that. */
  sequence: number
  /** The figure that counts it now. Only `NetworkStatistics` writes it. */
  countedAs?: Outcome | 'held' | 'pending' | undefined
}

/** What makes an impression, besides when it was tracked. */
export type ImpressionDetails<Item = unknown> = Pick<
  Impression<Item>,
  'network' | 'requestId' | 'campaignId' | 'batchKey' | 'item'
>

/** @param trackedAtMs by `Clock.now()` */
export function createImpression(details: ImpressionDetails, trackedAtMs: number): Impression {
  const { network, requestId, campaignId, batchKey, item } = details
  return {
    network,
    requestId,
    campaignId,
    batchKey,
    item,
    trackedAtMs,
    attempts: 0,
    sequence: 0,
    countedAs: undefined,
  }
}

/** What `on('outcome')` and the diagnostics channel `ad-impressions:outcome` carry. */
export interface OutcomeEvent {
  /** The network's name; `unknown` where an invalid input does not tell. */
  readonly network: string
  readonly outcome: Outcome
  /** One line that a person can act on. For `suppressed` and `dropped` it is one fixed word. */
  readonly reason: string
  /** The page load's id. */
  readonly requestId: string
  /** As the network spells it; `undefined` where the input has no usable one. */
  readonly campaignId: string | number | undefined
  /** Calls that carried it: 0 if it never left. */
  readonly attempts: number
  /** Milliseconds from `trackImpression` to the outcome. */
  readonly latencyMs: number
}
