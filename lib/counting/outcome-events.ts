import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Outcome, OutcomeEvent, OutcomeSubject } from '../impression.js'
import type { Log } from '../logger.js'
import { addReasonAddress, type Reason } from '../reason.js'
import { OutcomeLog } from './outcome-log.js'

/** Gets each outcome. What it throws is logged. */
export type OutcomeListener = (event: OutcomeEvent) => void

const outcomes = channel('ad-impressions:outcome')

/** Logs outcomes, and publishes them to listeners and to the diagnostics channel `ad-impressions:outcome`. */
export class OutcomeEvents {
  readonly #listeners = new Set<OutcomeListener>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #outcomeLog: OutcomeLog

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.#outcomeLog = new OutcomeLog(log)
  }

  /** @returns a function that removes the listener */
  add(listener: OutcomeListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  publish(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    this.#outcomeLog.write(subject, outcome, reason)
    if (this.#listeners.size === 0 && !outcomes.hasSubscribers) return
    const { network, requestId, campaignId, placement, offerId, attempts, trackedAtMs } = subject
    const event: OutcomeEvent = Object.freeze({
      network,
      outcome,
      reason: addReasonAddress(reason),
      requestId,
      campaignId,
      ...(placement !== undefined && { placement }),
      ...(offerId !== undefined && { offerId }),
      attempts,
      latencyMs: Math.max(0, Math.round(this.#clock.now() - trackedAtMs)),
    })
    for (const listener of this.#listeners) this.#notify(listener, event)
    outcomes.publish(event)
  }

  #notify(listener: OutcomeListener, event: OutcomeEvent): void {
    try {
      const returned: unknown = listener(event)
      // An async listener's rejection would otherwise end the process.
      if (returned instanceof Promise) returned.catch((thrown) => this.#logFailure(thrown))
    } catch (thrown) {
      this.#logFailure(thrown)
    }
  }

  #logFailure(thrown: unknown): void {
    this.#log.error('listener-failed', `an outcome listener threw: ${describeError(thrown)}`)
  }
}
