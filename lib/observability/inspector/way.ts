import type { Impression, Outcome } from '../../impression.js'
import { REASONS, type Reason } from '../../reason.js'

/** The steps of an impression, in their order: see ARCHITECTURE.md. */
export const STEPS = ['parse', 'admit', 'dedupe', 'send', 'verdict'] as const

/**
 * How far an impression has come. It has passed the steps before `step`, and has not reached those
 * after it.
 */
export interface Way {
  readonly step: (typeof STEPS)[number]
  /** What happened at `step`. `unclear`: it may have counted. */
  readonly mark: 'passed' | 'stopped' | 'waiting' | 'unclear'
  /** An outcome, or what the impression waits for. */
  readonly state: Outcome | 'issued' | 'held' | 'pending' | 'handed over'
  readonly reason: string
}

const ISSUED: Way = {
  step: 'admit',
  mark: 'waiting',
  state: 'issued',
  reason: 'waits until the browser reports the ad as viewable',
}

const HELD: Way = {
  step: 'admit',
  mark: 'waiting',
  state: 'held',
  reason: 'waits until the response has been written',
}

const HANDED_OVER: Way = {
  step: 'send',
  mark: 'passed',
  state: 'handed over',
  reason: 'another process sends and counts it',
}

/** Reasons of impressions that were dropped before dedupe. */
const DROPPED_EARLY: ReadonlySet<Reason> = new Set([
  REASONS.trackedAfterClose,
  REASONS.campaignOverflow,
  REASONS.tokenOverflow,
])

/** @param impression one without an outcome; `undefined` if its browser has yet to report it */
export function describeUnfinished(impression: Impression | undefined): Way {
  if (!impression) return ISSUED
  const { countedAs, attempts } = impression
  if (countedAs === 'held') return HELD
  if (countedAs === 'handed-over') return HANDED_OVER
  if (attempts === 0) {
    return { step: 'send', mark: 'waiting', state: 'pending', reason: 'waits to be sent' }
  }
  const reason = 'sent, and not answered yet, or waits to be sent again'
  return { step: 'verdict', mark: 'waiting', state: 'pending', reason }
}

/** @param shownReason what the page shows in place of `reason` */
export function describeFinished(
  outcome: Outcome,
  reason: Reason,
  attempts: number,
  shownReason: string,
): Way {
  return { ...locateEnd(outcome, reason, attempts), state: outcome, reason: shownReason }
}

function locateEnd(outcome: Outcome, reason: Reason, attempts: number): Pick<Way, 'step' | 'mark'> {
  switch (outcome) {
    case 'delivered':
      return { step: 'verdict', mark: 'passed' }
    case 'rejected':
      return { step: attempts === 0 ? 'send' : 'verdict', mark: 'stopped' }
    case 'uncertain':
      return { step: 'verdict', mark: 'unclear' }
    case 'duplicate':
      return { step: 'dedupe', mark: 'stopped' }
    case 'suppressed':
      return { step: 'admit', mark: 'stopped' }
    case 'invalid':
      return { step: reason === REASONS.unstorable ? 'send' : 'parse', mark: 'stopped' }
    case 'dropped':
      return { step: DROPPED_EARLY.has(reason) ? 'admit' : 'send', mark: 'stopped' }
  }
}
