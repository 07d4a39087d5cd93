import type { CountedCampaigns } from '../counting/dedupe.js'
import { OnceKeys } from '../counting/dedupe.js'
import { toPageLoadUuid } from '../counting/page-load-uuid.js'
import type { NetworkStatistics } from '../counting/statistics.js'
import { createDigest } from '../counting/used-tokens.js'
import type { Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network } from '../networks/network.js'
import { REASONS, type Reason, SUPPRESSED, type Suppression } from '../reason.js'
import type { Delivery } from './delivery.js'

export interface NetworkChannelDependencies {
  readonly network: Network
  readonly statistics: NetworkStatistics
  readonly delivery: Delivery
  /** Whether another process may get a campaign of the same page load. */
  readonly isDedupedByOutbox: boolean
  /** Whether `close()` has been called. */
  readonly isClosed: () => boolean
  readonly log: Log
}

/**
 * The way of one network's impressions from a page or a report to delivery. The figures move only
 * after the user's functions and logger have run: whenever they call `stats()`, it balances.
 */
export class NetworkChannel {
  readonly network: Network
  readonly delivery: Delivery
  readonly onceKeys: OnceKeys
  readonly #statistics: NetworkStatistics
  readonly #isDedupedByOutbox: boolean
  readonly #isClosed: () => boolean
  readonly #log: Log

  constructor(dependencies: NetworkChannelDependencies) {
    const { network, statistics, delivery, isDedupedByOutbox, isClosed, log } = dependencies
    this.network = network
    this.delivery = delivery
    this.onceKeys = new OnceKeys(network.name)
    this.#statistics = statistics
    this.#isDedupedByOutbox = isDedupedByOutbox
    this.#isClosed = isClosed
    this.#log = log
  }

  /**
   * Whether the impression may count: not after `close()`. If so, call `hold` or `send` next; if
   * not, it has its outcome.
   */
  admit(impression: Impression): boolean {
    if (!this.#isClosed()) return true
    const { name } = this.network
    this.#log.warn(`closed ${name}`, `${name}: impression dropped: tracked after close()`)
    this.conclude(impression, 'dropped', REASONS.trackedAfterClose)
    return false
  }

  /** Whether one more impression may be held. If not, this one is dropped. */
  hasRoomFor(impression: Impression): boolean {
    if (!this.delivery.isFull) return true
    this.delivery.push(impression)
    return false
  }

  /** The impression waits for its response to finish. */
  hold(impression: Impression): void {
    this.#statistics.beginHeld(impression)
  }

  /** The impression goes to delivery, unless its campaign has counted in this page load. */
  send(impression: Impression, onceKey: string, campaigns: CountedCampaigns): void {
    if (campaigns.has(onceKey)) {
      this.concludeDuplicate(impression)
      return
    }
    campaigns.add(onceKey)
    if (this.#isDedupedByOutbox) {
      impression.dedupeKey = createDigest(toPageLoadUuid(campaigns.id), onceKey)
    }
    try {
      this.delivery.push(impression)
    } catch (thrown) {
      // The stack has overflowed. If delivery has not accepted it, the campaign may still count.
      if (impression.sequence === 0) campaigns.revokedKey = onceKey
      throw thrown
    }
  }

  /** The campaign has counted already in this page load, or will with the response that holds it. */
  concludeDuplicate(impression: Impression): void {
    this.conclude(impression, 'duplicate', REASONS.alreadyCounted)
  }

  /** A token was issued, the first one for its campaign in its page load. */
  countIssued(): void {
    this.#statistics.countIssued()
  }

  /** A browser reported the ad as viewable, for the first time. */
  countViewable(): void {
    this.#statistics.countViewable()
  }

  /** The impression was not a display. */
  suppress(impression: Impression, suppression: Suppression): void {
    this.conclude(impression, 'suppressed', SUPPRESSED[suppression])
  }

  /** The impression ends here, before delivery. */
  conclude(impression: Impression, outcome: Outcome, reason: Reason): void {
    this.#statistics.conclude(impression, outcome, reason)
  }
}
