import type { NetworkStatistics } from '../counting/statistics.js'
import type { Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import {
  DROPPED,
  DROPPED_AFTER_SENDING,
  type Drop,
  type Reason,
  readReasonCode,
} from '../reason.js'
import type { PendingList } from './pending-list.js'

export interface PendingOutcomesDependencies {
  /** The network's name. */
  readonly network: string
  readonly statistics: NetworkStatistics
  readonly list: PendingList
  readonly log: Log
}

/** Ends pending impressions: counts, logs and removes them from the list. */
export class PendingOutcomes {
  readonly #dependencies: PendingOutcomesDependencies

  constructor(dependencies: PendingOutcomesDependencies) {
    this.#dependencies = dependencies
  }

  conclude(impressions: readonly Impression[], outcome: Outcome, reason: Reason): void {
    const { network, log, statistics, list } = this.#dependencies
    if (outcome !== 'delivered' && outcome !== 'dropped' && impressions.length > 0) {
      const kind = `${readReasonCode(reason)} ${outcome} ${network}` as const
      log.warn(kind, `${network}: impression ${outcome}: ${reason}`)
    }
    for (const impression of impressions) {
      statistics.conclude(impression, outcome, reason)
      list.remove(impression)
    }
  }

  /** One that was sent before may have counted then, although it is refused now. */
  reject(impressions: readonly Impression[], reason: Reason): void {
    const maybeCounted = impressions.filter(({ isMaybeCounted }) => isMaybeCounted)
    const refused = impressions.filter(({ isMaybeCounted }) => !isMaybeCounted)
    this.conclude(
      maybeCounted,
      'uncertain',
      `sent-before: it may have counted when it was sent before, and was then refused (${reason})`,
    )
    this.conclude(refused, 'rejected', reason)
  }

  /** Logs each one: the log merges the lines of a minute into one with a count. */
  drop(impressions: readonly Impression[], drop: Drop): void {
    const { network, log } = this.#dependencies
    const kind = `${drop} ${network}` as const
    const reason = DROPPED[drop]
    const message = `${network}: impression dropped without being sent: ${reason}`
    for (const impression of impressions) {
      if (impression.isMaybeCounted) {
        this.conclude([impression], 'uncertain', DROPPED_AFTER_SENDING[drop])
        continue
      }
      log.warn(kind, message)
      this.conclude([impression], 'dropped', reason)
    }
  }

  /** Other processes have taken over these impressions, and count them. */
  handOver(impressions: readonly Impression[]): void {
    const { statistics, list } = this.#dependencies
    for (const impression of impressions) {
      statistics.handOver(impression)
      list.remove(impression)
    }
  }
}
