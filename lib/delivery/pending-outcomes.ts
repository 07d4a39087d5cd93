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

/** What impressions end as. */
export interface Ending {
  readonly impressions: readonly Impression[]
  readonly outcome: Outcome
  readonly reason: Reason
}

/** One that was sent before may have counted then, although it is refused now. */
export function endRejected(impressions: readonly Impression[], reason: Reason): Ending[] {
  const sentBefore: Reason = `sent-before: it may have counted when it was sent before, and was then refused (${reason})`
  return endNotCounted(impressions, ['rejected', reason], sentBefore)
}

export function endDropped(impressions: readonly Impression[], drop: Drop): Ending[] {
  return endNotCounted(impressions, ['dropped', DROPPED[drop]], DROPPED_AFTER_SENDING[drop])
}

function endNotCounted(
  impressions: readonly Impression[],
  [outcome, reason]: readonly [Outcome, Reason],
  sentBefore: Reason,
): Ending[] {
  const maybeCounted = impressions.filter(({ isMaybeCounted }) => isMaybeCounted)
  const notCounted = impressions.filter(({ isMaybeCounted }) => !isMaybeCounted)
  const endings: Ending[] = [
    { impressions: maybeCounted, outcome: 'uncertain', reason: sentBefore },
    { impressions: notCounted, outcome, reason },
  ]
  return endings.filter((ending) => ending.impressions.length > 0)
}

/** Ends pending impressions: counts, logs and removes them from the list. */
export class PendingOutcomes {
  readonly #dependencies: PendingOutcomesDependencies

  constructor(dependencies: PendingOutcomesDependencies) {
    this.#dependencies = dependencies
  }

  conclude({ impressions, outcome, reason }: Ending): void {
    const { network, log, statistics, list } = this.#dependencies
    if (outcome !== 'delivered' && outcome !== 'dropped' && impressions.length > 0) {
      const kind = `${readReasonCode(reason)} ${outcome} ${network}` as const
      log.warn(kind, `${network}: impression ${outcome}: ${reason}`)
    }
    const logDrop = outcome === 'dropped' ? this.#createDropLog(reason) : undefined
    for (const impression of impressions) {
      logDrop?.()
      statistics.conclude(impression, outcome, reason)
      list.remove(impression)
    }
  }

  drop(impressions: readonly Impression[], drop: Drop): void {
    for (const ending of endDropped(impressions, drop)) this.conclude(ending)
  }

  /** To be called for each impression: the log merges the lines of a minute into one with a count. */
  #createDropLog(reason: Reason): () => void {
    const { network, log } = this.#dependencies
    const kind = `${readReasonCode(reason)} ${network}` as const
    const message = `${network}: impression dropped without being sent: ${reason}`
    return () => log.warn(kind, message)
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
