import { CONTESTANTS, PEER_NAMES } from '../contestants/contestants.js'
import {
  type BenchReport,
  formatCount,
  formatNumber,
  formatRounds,
  type TargetResult,
} from '../report.js'
import { divideByRound, median } from '../statistics.js'
import { CASES, type CaseName } from './call-cases.js'

/**
 * Per round, without a pause. Enough that each call pays for its own garbage: after a few hundred
 * calls, the collection would fall into the next measurement.
 */
export const PAGES = 2_000

export const CASE_LABELS: Readonly<Record<CaseName, string>> = {
  known: 'reference: an object with two fields, 40 bytes',
  nothing: 'a request that tracks nothing',
  ens: 'ENS, accepted',
  closient: 'Closient, accepted',
  duplicate: 'duplicate',
  suppressed: 'suppressed: a bot',
  invalid: 'invalid',
  segment: CONTESTANTS.segment.label,
  posthog: CONTESTANTS.posthog.label,
  amplitude: CONTESTANTS.amplitude.label,
  snowplow: CONTESTANTS.snowplow.label,
}

/** Per call, one figure for each round. */
export interface CallFigures {
  readonly ns: readonly number[]
  readonly bytes: readonly number[]
}

type ReadFigures = (name: CaseName) => CallFigures

export function createCallReport(figures: ReadonlyMap<CaseName, CallFigures>): BenchReport {
  const read: ReadFigures = (name) => figures.get(name) ?? { ns: [], bytes: [] }
  const amplitude = read('amplitude').ns
  return {
    title: 'Call cost',
    tables: [
      {
        caption:
          'The synchronous part of one call, on pages of three impressions. For a request that tracks ' +
          `nothing: what the middleware does for it. ${formatCount(PAGES)} pages without a pause, so that each call ` +
          'pays for its own garbage. Bytes are the growth of the heap while no garbage is collected.',
        columns: ['call', 'ns', 'bytes allocated', `× ${CONTESTANTS.amplitude.label}`],
        rows: CASES.map((name) => [
          CASE_LABELS[name],
          formatRounds(read(name).ns),
          formatRounds(read(name).bytes),
          formatNumber(median(divideByRound(read(name).ns, amplitude)), 2),
        ]),
      },
    ],
    targets: [
      checkEmptyRequest(read('nothing')),
      checkAccepted('ens', read),
      checkAccepted('closient', read),
      checkDuplicate(read),
    ],
  }
}

function checkEmptyRequest({ ns, bytes }: CallFigures): TargetResult {
  return {
    subject: 'a request that tracks nothing',
    target: 'under 1 µs and 300 bytes',
    measured: `${formatNumber(median(ns))} ns, ${formatNumber(median(bytes))} bytes`,
    isReached: median(ns) < 1_000 && median(bytes) < 300,
  }
}

function checkAccepted(name: 'ens' | 'closient', read: ReadFigures): TargetResult {
  const compareWith = (peer: CaseName) => median(divideByRound(read(name).ns, read(peer).ns))
  const cheapestPeer = PEER_NAMES.reduce((one, other) =>
    compareWith(other) > compareWith(one) ? other : one,
  )
  const ratio = compareWith(cheapestPeer)
  const bytes = median(read(name).bytes)
  return {
    subject: `one \`trackImpression\`: ${CASE_LABELS[name]}`,
    target: 'at most 0.4 × the cheapest peer, under 3,000 bytes',
    measured: `${formatNumber(ratio)} × ${CONTESTANTS[cheapestPeer].label}, ${formatNumber(bytes, 4)} bytes`,
    isReached: ratio <= 0.4 && bytes < 3_000,
  }
}

function checkDuplicate(read: ReadFigures): TargetResult {
  const compareWith = (other: CaseName) =>
    median(divideByRound(read('duplicate').ns, read(other).ns))
  const ratio = compareWith('ens')
  return {
    subject: 'a duplicate',
    target: 'under 0.1 × an accepted one',
    measured:
      `${formatNumber(ratio)} × ENS, ` +
      `${formatNumber(compareWith('amplitude'))} × ${CONTESTANTS.amplitude.label}`,
    isReached: ratio < 0.1,
  }
}
