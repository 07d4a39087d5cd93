import type { Clock } from '../clock.js'
import type { Drop, Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import type { Network } from '../networks/network.js'
import type { Verdict } from '../networks/verdict.js'
import type { RetryingOutbox } from './outbox/retrying-outbox.js'
import type { PendingImpressions } from './pending-impressions.js'
import type { Batch, RetryBatches } from './retry-batches.js'

export interface SettlementDependencies {
  readonly network: Network
  readonly outbox: RetryingOutbox
  readonly inHand: RetryBatches
  readonly conclusions: PendingImpressions
  readonly clock: Clock
  readonly log: Log
  /** Told when more may be sent. */
  readonly onReady: () => void
}

/** An impression that met so many errors of the network may itself be their cause. */
const SUSPECT_ATTEMPTS = 4
const FIRST_ASIDE_MS = 1_000
const LONGEST_ASIDE_MS = 60_000

/** What becomes of a batch: its impressions end, or wait again, or are kept in hand. */
export class Settlement {
  readonly #parts: SettlementDependencies
  #isClosed = false

  constructor(parts: SettlementDependencies) {
    this.#parts = parts
  }

  /** From now on nothing is sent again. */
  close(): void {
    this.#isClosed = true
  }

  /** @param isServerError whether the network met an error, which the batch may have caused */
  carryOut(batch: Batch, verdict: Verdict, isServerError: boolean): void {
    const { network, conclusions, log } = this.#parts
    const { name } = network
    const { kind, reason } = verdict
    switch (kind) {
      case 'delivered':
        this.#settleDelivered(batch, verdict.count, reason)
        return
      case 'rejected':
        this.#settle(batch, 'rejected', reason)
        return
      case 'split':
        this.split(batch, reason)
        return
      case 'uncertain':
        if (network.onUncertain !== 'resend' || this.#isClosed) {
          this.#settle(batch, 'uncertain', reason)
          return
        }
        conclusions.doubt(batch.impressions)
        this.sendAgain(batch)
        return
      case 'retry':
        log.warn(
          `retry ${name}`,
          `${name} takes no impressions for now (${reason}): they are kept and sent again`,
        )
        if (isServerError && !this.#isClosed && isSuspect(batch)) this.#isolate(batch)
        else this.sendAgain(batch)
        return
      case 'misconfigured':
        log.error(
          `misconfigured ${name}`,
          `${name} refuses the key or the base URL (${reason}): nothing is counted until that is ` +
            'mended; impressions are kept meanwhile',
        )
        this.sendAgain(batch)
    }
  }

  /** @param told how many of the batch the network says that it counted */
  #settleDelivered(batch: Batch, told: number | undefined, reason: string): void {
    const { claim, impressions } = batch
    if (told === undefined || told >= impressions.length) {
      this.#settle(batch, 'delivered', reason)
      return
    }
    this.#settle({ claim, impressions: impressions.slice(0, told) }, 'delivered', reason)
    const shortfall = `the network counted ${told} of the ${impressions.length} sent`
    this.#settle({ claim, impressions: impressions.slice(told) }, 'rejected', shortfall)
  }

  /** Halves a batch until the bad item stands alone: only that one is rejected. */
  split(batch: Batch, reason: string): void {
    if (batch.impressions.length === 1) this.#settle(batch, 'rejected', reason)
    else if (this.#isClosed) this.giveUp(batch, 'closed')
    else this.#parts.inHand.halve(batch)
  }

  /** Parts from the others the one on which the network fails, and tries that one ever more rarely. */
  #isolate(batch: Batch): void {
    const [first, second] = batch.impressions
    if (!first || second) {
      this.#parts.inHand.halve(batch)
      return
    }
    const delayMs = FIRST_ASIDE_MS * 2 ** (first.attempts - SUSPECT_ATTEMPTS)
    this.#parts.inHand.setAside(batch, Math.min(delayMs, LONGEST_ASIDE_MS), this.#parts.clock, () =>
      this.#parts.onReady(),
    )
  }

  sendAgain(batch: Batch): void {
    if (this.#isClosed) this.giveUp(batch, 'closed')
    else this.#parts.outbox.release(batch.claim, batch.impressions, () => this.#parts.onReady())
  }

  /** These impressions have their outcome, and leave the outbox. */
  #settle({ claim, impressions }: Batch, outcome: Outcome, reason: string): void {
    this.#parts.outbox.settle(claim, impressions)
    if (outcome === 'rejected') this.#parts.conclusions.reject(impressions, reason)
    else this.#parts.conclusions.end(impressions, outcome, reason)
  }

  giveUp({ claim, impressions }: Batch, reason: Drop): void {
    this.#parts.outbox.settle(claim, impressions)
    this.#parts.conclusions.drop(impressions, reason)
  }
}

/** Whether one of these may be what the network fails on. */
function isSuspect({ impressions }: Batch): boolean {
  return impressions.some(({ attempts }) => attempts >= SUSPECT_ATTEMPTS)
}
