import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Impression, Outcome, OutcomeEvent } from '../impression.js'
import type { Log } from '../logger.js'
import type { Reason } from '../reason.js'

/** What an outcome is about: an impression, or an input that did not become one. */
export interface OutcomeSubject
  extends Pick<Impression, 'network' | 'requestId' | 'attempts' | 'trackedAtMs' | 'countedAs'> {
  readonly campaignId: string | number | undefined
  readonly placement?: string | undefined
  readonly offerId?: string | undefined
}

export type OutcomeListener = (event: OutcomeEvent) => void

const outcomes = channel('ad-impressions:outcome')

/** Publishes outcomes to listeners and to the diagnostics channel `ad-impressions:outcome`. */
export class OutcomeEvents {
  readonly #listeners = new Set<OutcomeListener>()
  readonly #clock: Clock
  readonly #log: Log

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** @returns a function that removes the listener */
  add(listener: OutcomeListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  publish(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    if (this.#listeners.size === 0 && !outcomes.hasSubscribers) return
    const { network, requestId, campaignId, placement, offerId, attempts, trackedAtMs } = subject
    const event: OutcomeEvent = Object.freeze({
      network,
      outcome,
      reason,
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
    this.#log.error('outcome listener', `an outcome listener threw: ${describeError(thrown)}`)
  }
}
