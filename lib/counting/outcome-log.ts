import { toOneLine } from '../errors.js'
import type { Impression, Outcome, OutcomeSubject } from '../impression.js'
import type { DebugMessage, Log } from '../logger.js'
import { type Reason, readReasonCode } from '../reason.js'

/** What was displayed, and where, as far as that is known. */
export type Display = Partial<
  Readonly<Record<keyof Pick<Impression, 'campaignId' | 'placement' | 'offerId' | 'page'>, unknown>>
>

/** Describes a display for the log: ` (campaign 42, placement header_banner, GET /news)`. */
export function describeDisplay({ campaignId, placement, offerId, page }: Display): string {
  const parts = [
    ...describePart('campaign ', campaignId),
    ...describePart('offer ', offerId),
    ...describePart('placement ', placement),
    ...describePart('', page),
  ]
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}

/** Anyone can send these. A warning says how many there were in the last minute. */
function isForgery(reason: Reason): boolean {
  const code = readReasonCode(reason)
  return code === 'invalid-token' || code === 'invalid-report'
}

function describePart(name: string, value: unknown): readonly string[] {
  return value === undefined ? [] : [`${name}${cleanPart(value)}`]
}

const MAX_PART_CHARACTERS = 80

/** Clients and custom networks choose some values, so they are made short and safe to log. */
function cleanPart(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const line = toOneLine(value)
  if (line.length <= MAX_PART_CHARACTERS) return line
  return `${line.slice(0, MAX_PART_CHARACTERS).toWellFormed()}…`
}

/**
 * Logs outcomes other than `delivered`: at the level `debug`, and in development also the
 * first suppression of each kind as a warning, because a newcomer does not know why nothing counts.
 */
export class OutcomeLog {
  readonly #log: Log
  /** The suppressions that a warning was logged about; `undefined` in production. */
  readonly #warned: Set<Reason> | undefined

  constructor(log: Log, isDevelopment = process.env.NODE_ENV !== 'production') {
    this.#log = log
    this.#warned = isDevelopment ? new Set() : undefined
  }

  write(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    if (outcome === 'delivered') return
    const { debug } = this.#log
    if (debug && !isForgery(reason)) debug(() => describeOutcome(subject, outcome, reason))
    if (outcome === 'suppressed' && this.#warned) this.#warnOnce(this.#warned, subject, reason)
  }

  #warnOnce(warned: Set<Reason>, subject: OutcomeSubject, reason: Reason): void {
    // One of a few constants: no viewer chooses the reason of a suppression.
    if (warned.has(reason)) return
    warned.add(reason)
    this.#log.warn(
      `${readReasonCode(reason)} suppressed`,
      `${subject.network}: an impression does not count: ${reason}${describeDisplay(subject)}. ` +
        'The next ones are logged at the level debug only',
    )
  }
}

function describeOutcome(subject: OutcomeSubject, outcome: Outcome, reason: Reason): DebugMessage {
  const { network, requestId, campaignId, placement, offerId, page, attempts } = subject
  return {
    kind: `${readReasonCode(reason)} outcome`,
    message: `${network}: impression ${outcome}: ${reason}${describeDisplay(subject)}`,
    fields: {
      network,
      outcome,
      reason,
      requestId,
      campaignId: cleanPart(campaignId),
      placement: cleanPart(placement),
      offerId: cleanPart(offerId),
      page: cleanPart(page),
      attempts,
    },
  }
}
