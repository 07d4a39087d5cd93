import { type BenchReport, formatNumber, formatRounds, type TargetResult } from '../report.js'
import { median } from '../statistics.js'
import type { MeasuredNetwork } from './memory-process.js'

/** Enough to reach the limit of remembered page loads within the first 15 minutes. */
export const PAGES_PER_SECOND = 120

/** The sample at 20 minutes, the first one after that limit was reached. */
const FIRST_FULL_SAMPLE = 3

/** In bytes, one figure for each round. */
export interface MemoryFigures {
  readonly recurringPageLoad: readonly number[]
  readonly uniquePageLoad: readonly number[]
  readonly pending: readonly number[]
}

type FiguresByNetwork = ReadonlyMap<MeasuredNetwork, MemoryFigures>

const NETWORK_LABELS: Readonly<Record<MeasuredNetwork, string>> = {
  ens: 'ENS',
  closient: 'Closient',
}

/** @param hourMb live megabytes at every fifth minute of the virtual hour */
export function createMemoryReport(
  figures: FiguresByNetwork,
  hourMb: readonly number[],
): BenchReport {
  return {
    title: 'Memory',
    tables: [
      {
        caption:
          'Bytes that stay on the heap, measured with 100,000 of each: a page load with three campaigns, ' +
          'without its id, where that id can recur and where it cannot; and an impression that waits to be sent.',
        columns: [
          'network',
          'page load, id can recur',
          'page load, id cannot recur',
          'pending impression',
        ],
        rows: [...figures].map(([network, { recurringPageLoad, uniquePageLoad, pending }]) => [
          NETWORK_LABELS[network],
          formatRounds(recurringPageLoad),
          formatRounds(uniquePageLoad, 2),
          formatRounds(pending),
        ]),
      },
      {
        caption:
          `Live megabytes at every fifth minute of an hour of virtual time, with ${PAGES_PER_SECOND} page views per ` +
          'second of three Closient impressions. Every id can recur.',
        columns: hourMb.map((_, index) => `${5 * (index + 1)} min`),
        rows: [hourMb.map((megabytes) => formatNumber(megabytes))],
      },
    ],
    targets: [...checkSizes(figures), checkGrowth(hourMb)],
  }
}

function checkSizes(figures: FiguresByNetwork): TargetResult[] {
  const getMedians = (figure: keyof MemoryFigures) =>
    [...figures.values()].map((networkFigures) => median(networkFigures[figure]))
  const recurring = getMedians('recurringPageLoad')
  const unique = getMedians('uniquePageLoad')
  const pending = getMedians('pending')
  return [
    {
      subject: 'a page load with three campaigns, id can recur (ENS, Closient)',
      target: 'at most 250 bytes without its id',
      measured: `${formatList(recurring)} bytes`,
      isReached: recurring.every((bytes) => bytes <= 250),
    },
    {
      subject: 'a page load whose id cannot recur (ENS, Closient)',
      target: 'nothing remembered',
      measured: `${formatList(unique)} bytes`,
      isReached: unique.every((bytes) => bytes < 10),
    },
    {
      subject: 'a pending impression (ENS, Closient)',
      target: 'at most 500 bytes',
      measured: `${formatList(pending)} bytes`,
      isReached: pending.every((bytes) => bytes <= 500),
    },
  ]
}

function checkGrowth(hourMb: readonly number[]): TargetResult {
  const fullMb = hourMb.slice(FIRST_FULL_SAMPLE)
  const growth = (fullMb.at(-1) ?? Number.NaN) / (fullMb[0] ?? Number.NaN) - 1
  return {
    subject: 'an hour of virtual time, once 100,000 page loads are remembered',
    target: 'no growth',
    measured: `${formatNumber(100 * growth, 2)} % in 40 minutes`,
    isReached: growth < 0.02,
  }
}

function formatList(values: readonly number[]): string {
  return values.map((value) => formatNumber(value)).join(', ')
}
