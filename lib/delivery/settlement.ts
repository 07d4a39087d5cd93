import type { Log } from '../logger.js'
import type { Network } from '../networks/network.js'
import type { Reason } from '../reason.js'
import { backoffMs, jitteredBackoffMs } from './backoff.js'
import type { JudgedVerdict } from './call/safe-network.js'
import type { PendingImpressions } from './pending-impressions.js'
import { type Batch, halve } from './retry-batches.js'

export interface SettlementDependencies {
  readonly network: Pick<Network, 'name' | 'onUncertain'>
  readonly pending: PendingImpressions
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number
  readonly log: Log
}

/** What else a call tells about the network. */
export interface CallContext {
  /** Whether the network failed (5xx), which the batch may have caused. */
  readonly isServerError: boolean
  /** How long the circuit breaker blocks calls; 0 if it lets them through. */
  readonly blockedForMs: number
}

/** An impression that met this many server errors may itself be their cause. */
const SUSPECT_ATTEMPTS = 4
/** After this many attempts that a gateway refused, others having succeeded, it always will. */
const MAX_SUSPECT_ATTEMPTS = 8

/** Turns the verdict on a call into what happens to its batch. */
export class Settlement {
  readonly #dependencies: SettlementDependencies

  constructor(dependencies: SettlementDependencies) {
    this.#dependencies = dependencies
  }

  settle(batch: Batch, verdict: JudgedVerdict, context: CallContext): void {
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
        this.#settleRetry(batch, reason, context)
        return
      case 'suspect':
        this.#settleSuspect(batch, reason, context)
        return
      case 'misconfigured':
        this.#settleMisconfigured(batch, reason)
    }
  }

  /** Halves the batch until the bad item is alone: only that one is rejected. */
  split(batch: Batch, reason: Reason): void {
    const { pending } = this.#dependencies
    if (batch.impressions.length === 1) pending.conclude(batch, 'rejected', reason)
    else pending.halve(batch)
  }

  /** @param count how many impressions of the batch the network counted, if its answer says so */
  #settleDelivered(batch: Batch, count: number | undefined, reason: Reason): void {
    const { pending } = this.#dependencies
    const { claim, impressions } = batch
    if (count === undefined || count >= impressions.length) {
      pending.conclude(batch, 'delivered', reason)
      return
    }
    pending.conclude({ claim, impressions: impressions.slice(0, count) }, 'delivered', reason)
    const shortfall: Reason = `count-short: the network counted ${count} of the ${impressions.length} sent`
    pending.conclude({ claim, impressions: impressions.slice(count) }, 'rejected', shortfall)
  }

  #settleUncertain(batch: Batch, reason: Reason): void {
    const { network, pending } = this.#dependencies
    if (network.onUncertain === 'resend' && !pending.isClosed) pending.requeueMaybeCounted(batch)
    else pending.conclude(batch, 'uncertain', reason)
  }

  #settleRetry(batch: Batch, reason: Reason, context: CallContext): void {
    const { network, pending, log } = this.#dependencies
    const { isServerError, blockedForMs } = context
    const when = blockedForMs > 0 ? ` in ${formatSeconds(blockedForMs)}` : ''
    log.warn(
      `retry ${network.name}`,
      `${network.name} accepts no impressions for now (${reason}): they are kept and sent again${when}`,
    )
    if (isServerError && hasFailedOften(batch)) this.#isolate(batch)
    else if (blockedForMs > 0) pending.requeue(batch)
    else pending.retryLater(batch, this.#jitteredDelayMs(batch))
  }

  /** The calls around it tell whether a gateway refuses everything, or this batch alone. */
  #settleSuspect(batch: Batch, reason: Reason, { blockedForMs }: CallContext): void {
    const { network, pending, log } = this.#dependencies
    if (blockedForMs > 0) {
      this.#settleMisconfigured(batch, reason)
      return
    }
    log.warn(
      `gateway-suspect ${network.name}`,
      `a gateway before ${network.name} refuses a batch (${reason}): it is tried again by itself`,
    )
    const [first, second] = batch.impressions
    if (first && !second && first.attempts >= MAX_SUSPECT_ATTEMPTS) {
      const refused: Reason = `gateway-refused: a gateway refuses it again and again (${reason})`
      pending.conclude(batch, 'rejected', refused)
      return
    }
    for (const half of halve(batch)) pending.retryLater(half, this.#jitteredDelayMs(half))
  }

  #settleMisconfigured(batch: Batch, reason: Reason): void {
    const { network, pending, log } = this.#dependencies
    log.error(
      `misconfigured ${network.name}`,
      `${network.name} refuses the key or the base URL (${reason}): nothing is counted until that ` +
        'is fixed; impressions are kept meanwhile, and one at a time is sent to find out',
    )
    pending.requeue(batch)
  }

  /** Finds the impression that the network fails on, and retries that one ever more rarely. */
  #isolate(batch: Batch): void {
    const { pending } = this.#dependencies
    const [first, second] = batch.impressions
    if (!first || second) pending.halve(batch)
    else pending.retryLater(batch, backoffMs(first.attempts - SUSPECT_ATTEMPTS + 2))
  }

  #jitteredDelayMs({ impressions }: Batch): number {
    return jitteredBackoffMs(impressions[0]?.attempts ?? 1, this.#dependencies.random)
  }
}

function hasFailedOften({ impressions }: Batch): boolean {
  return impressions.some(({ attempts }) => attempts >= SUSPECT_ATTEMPTS)
}

function formatSeconds(durationMs: number): string {
  return `${Math.ceil(durationMs / 1_000)} s`
}
