import type { CountedCampaigns } from '../counting/dedupe.js'
import { OnceKeys } from '../counting/dedupe.js'
import type { NetworkStatistics } from '../counting/statistics.js'
import type { Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network } from '../networks/network.js'
import type { Delivery } from './delivery.js'

export interface NetworkChannelDependencies {
  readonly network: Network
  readonly statistics: NetworkStatistics
  readonly delivery: Delivery
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
  readonly #isClosed: () => boolean
  readonly #log: Log

  constructor({ network, statistics, delivery, isClosed, log }: NetworkChannelDependencies) {
    this.network = network
    this.delivery = delivery
    this.onceKeys = new OnceKeys(network.name)
    this.#statistics = statistics
    this.#isClosed = isClosed
    this.#log = log
  }

  /**
   * Whether the impression counts: once per page load, and not after `close()`. If it does, call
   * `hold` or `send` next; if not, it has its outcome.
   */
  admit(impression: Impression, onceKey: string, campaigns: CountedCampaigns): boolean {
    const { name } = this.network
    if (this.#isClosed()) {
      this.#log.warn(`dropped closed ${name}`, `${name}: impression dropped: tracked after close()`)
      this.conclude(impression, 'dropped', 'closed')
      return false
    }
    if (campaigns.has(onceKey)) {
      const reason = `campaign ${impression.campaignId} has already counted in this page load`
      this.conclude(impression, 'duplicate', reason)
      return false
    }
    campaigns.add(onceKey)
    return true
  }

  /** The impression waits for its response to finish. */
  hold(impression: Impression): void {
    this.#statistics.beginHeld(impression)
  }

  /** The impression goes to delivery. */
  send(impression: Impression): void {
    this.delivery.push(impression)
  }

  /** The impression ends here, before delivery. */
  conclude(impression: Impression, outcome: Outcome, reason: string): void {
    this.#statistics.conclude(impression, outcome, reason)
  }
}
