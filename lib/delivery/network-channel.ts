import type { Clock } from '../clock.js'
import type { CountedCampaigns, OnceKeys } from '../counting/dedupe.js'
import { type Account, type Statistics, UNKNOWN_NETWORK } from '../counting/statistics.js'
import type { Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network } from '../networks/network.js'
import type { Delivery } from './delivery.js'

/** A network with what it takes to tell it. */
export interface NetworkChannel {
  readonly network: Network
  readonly account: Account
  readonly onceKeys: OnceKeys
  readonly delivery: Delivery
}

/** What is known of an input or a token that did not become an impression. */
export interface InvalidInput {
  /** Empty where it does not tell. */
  readonly requestId: string
  readonly campaignId: string | number | undefined
  readonly reason: string
}

/**
 * Where impressions come in, rendered or seen. Each is tracked here, and only once the user's
 * functions and logger have run: whatever they ask `stats()`, the books balance.
 */
export class Intake {
  readonly #books: Statistics
  readonly #clock: Clock
  readonly #log: Log
  readonly #isClosed: () => boolean

  constructor(books: Statistics, clock: Clock, log: Log, isClosed: () => boolean) {
    this.#books = books
    this.#clock = clock
    this.#log = log
    this.#isClosed = isClosed
  }

  /** Whether the impression is to be delivered: once per page load, and not after `close()`. */
  admit(
    lane: NetworkChannel,
    impression: Impression,
    onceKey: string,
    counted: CountedCampaigns,
  ): boolean {
    const { network } = impression
    if (this.#isClosed()) {
      const why = `${network}: impression dropped: tracked after close()`
      this.#log.warn(`dropped closed ${network}`, why)
      this.end(lane, impression, 'dropped', 'closed')
      return false
    }
    if (counted.has(onceKey)) {
      const reason = `campaign ${impression.campaignId} has counted in this page load`
      this.end(lane, impression, 'duplicate', reason)
      return false
    }
    counted.add(onceKey)
    lane.account.tracked += 1
    return true
  }

  /** An impression that goes no further. */
  end({ account }: NetworkChannel, impression: Impression, outcome: Outcome, reason: string): void {
    account.tracked += 1
    this.#books.conclude(account, impression, outcome, reason)
  }

  /** What cannot be sent. */
  refuse(lane: NetworkChannel | undefined, { requestId, campaignId, reason }: InvalidInput): void {
    const network = lane?.network.name ?? UNKNOWN_NETWORK
    const account = lane?.account ?? this.#books.account(UNKNOWN_NETWORK)
    const subject = { network, requestId, campaignId, trackedAtMs: this.#clock.now(), attempts: 0 }
    account.tracked += 1
    this.#books.conclude(account, subject, 'invalid', reason)
  }
}
