import type { Log } from '../logger.js'
import type { Network } from '../networks/network.js'
import type { Verdict } from '../networks/verdict.js'
import type { PendingImpressions } from './pending-impressions.js'
import type { Batch } from './retry-batches.js'

export interface SettlementDependencies {
  readonly network: Pick<Network, 'name' | 'onUncertain'>
  readonly pending: PendingImpressions
  readonly log: Log
}

/** An impression that met this many server errors may itself be their cause. */
const SUSPECT_ATTEMPTS = 4
const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 60_000

/** Turns the verdict on a call into what happens to its batch. */
export class Settlement {
  readonly #dependencies: SettlementDependencies

  constructor(dependencies: SettlementDependencies) {
    this.#dependencies = dependencies
  }

  /** @param isServerError whether the network failed (5xx), which the batch may have caused */
  settle(batch: Batch, verdict: Verdict, isServerError: boolean): void {
    const { pending } = this.#dependencies
    const { kind, reason } = verdict
    switch (kind) {
      case 'delivered':
        this.#settleDelivered(batch, verdict.count, reason)
        return
      case 'rejected':
        pending.conclude(batch, 'rejected', reason)
        return
      case 'split':
        this.split(batch, reason)
        return
      case 'uncertain':
        this.#settleUncertain(batch, reason)
        return
      case 'retry':
        this.#logRetry(reason)
        if (isServerError && isSuspect(batch)) this.#isolate(batch)
        else pending.requeue(batch)
        return
      case 'misconfigured':
        this.#logMisconfiguration(reason)
        pending.requeue(batch)
    }
  }

  /** Halves the batch until the bad item is alone: only that one is rejected. */
  split(batch: Batch, reason: string): void {
    const { pending } = this.#dependencies
    if (batch.impressions.length === 1) pending.conclude(batch, 'rejected', reason)
    else pending.halve(batch)
  }

  /** @param count how many impressions of the batch the network counted, if its answer says so */
  #settleDelivered(batch: Batch, count: number | undefined, reason: string): void {
    const { pending } = this.#dependencies
    const { claim, impressions } = batch
    if (count === undefined || count >= impressions.length) {
      pending.conclude(batch, 'delivered', reason)
      return
    }
    pending.conclude({ claim, impressions: impressions.slice(0, count) }, 'delivered', reason)
    const shortfall = `the network counted ${count} of the ${impressions.length} sent`
    pending.conclude({ claim, impressions: impressions.slice(count) }, 'rejected', shortfall)
  }

  #settleUncertain(batch: Batch, reason: string): void {
    const { network, pending } = this.#dependencies
    if (network.onUncertain === 'resend' && !pending.isClosed) pending.requeueMaybeCounted(batch)
    else pending.conclude(batch, 'uncertain', reason)
  }

  /** Finds the impression that the network fails on, and retries that one ever more rarely. */
  #isolate(batch: Batch): void {
    const { pending } = this.#dependencies
    const [first, second] = batch.impressions
    if (!first || second) {
      pending.halve(batch)
      return
    }
    const delayMs = FIRST_DELAY_MS * 2 ** (first.attempts - SUSPECT_ATTEMPTS)
    pending.retryLater(batch, Math.min(delayMs, LONGEST_DELAY_MS))
  }

  #logRetry(reason: string): void {
    const { network, log } = this.#dependencies
    log.warn(
      `retry ${network.name}`,
      `${network.name} accepts no impressions for now (${reason}): they are kept and sent again`,
    )
  }

  #logMisconfiguration(reason: string): void {
    const { network, log } = this.#dependencies
    log.error(
      `misconfigured ${network.name}`,
      `${network.name} refuses the key or the base URL (${reason}): nothing is counted until that ` +
        'is fixed; impressions are kept meanwhile',
    )
  }
}

function isSuspect({ impressions }: Batch): boolean {
  return impressions.some(({ attempts }) => attempts >= SUSPECT_ATTEMPTS)
}
