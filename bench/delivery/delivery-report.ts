import {
  type BenchReport,
  formatNumber,
  formatRounds,
  type ReportTable,
  type TargetResult,
} from '../report.js'
import { divideByRound, median } from '../statistics.js'
import { FEW_CONNECTIONS, isClosient, MANY_CONNECTIONS, type SenderSetup } from './sender-setups.js'
import type { SenderName } from './senders.js'

export const LATENCY_MS = 20

/** One figure for each round. */
export interface SenderFigures {
  readonly perSecond: readonly number[]
  /** CPU time per impression. */
  readonly cpuUs: readonly number[]
}

/** What was measured at one latency. */
export interface DeliveryFigures {
  readonly bySetup: ReadonlyMap<SenderSetup, SenderFigures>
  /** How long one call takes when nothing else is in flight, including the network and timers. */
  readonly sequentialMs: readonly number[]
}

/**
 * Impressions per second, one figure for each round, by how many calls there are for each one that
 * fails. `undefined`: no call fails.
 */
export type FailureFigures = ReadonlyMap<number | undefined, readonly number[]>

export function createDeliveryReport(
  withoutLatency: DeliveryFigures,
  withLatency: DeliveryFigures,
  failing: FailureFigures,
): BenchReport {
  return {
    title: 'Delivery limit',
    tables: [
      createTable(0, withoutLatency),
      createTable(LATENCY_MS, withLatency),
      createFailureTable(failing),
    ],
    targets: [
      checkWithoutLatency(withoutLatency),
      checkWithLatency(withLatency),
      checkFailures(failing),
    ],
  }
}

function getPerSecond(
  { bySetup }: DeliveryFigures,
  sender: SenderName,
  senderConnections: number,
): readonly number[] {
  const found = [...bySetup].find(
    ([{ name, connections }]) => name === sender && connections === senderConnections,
  )
  return found?.[1].perSecond ?? []
}

/** The rate relative to what the connections carry if each call takes as long as a single one. */
function compareWithLimit(
  figures: DeliveryFigures,
  sender: SenderName,
  connections: number,
): number {
  const limits = figures.sequentialMs.map((ms) => (connections * 1_000) / ms)
  return median(divideByRound(getPerSecond(figures, sender, connections), limits))
}

function compareWithDispatch(
  figures: DeliveryFigures,
  sender: SenderName,
  connections: number,
): number {
  const perSecond = getPerSecond(figures, sender, connections)
  return median(divideByRound(perSecond, getPerSecond(figures, 'dispatch', connections)))
}

function createTable(latencyMs: number, figures: DeliveryFigures): ReportTable {
  return {
    caption:
      `The sink answers after ${latencyMs} ms. Impressions delivered per second and CPU time per impression, from ` +
      'the moment when all were tracked to the last answer. A single call takes ' +
      `${formatRounds(figures.sequentialMs)} ms${latencyMs > 0 ? ', which is the latency in the fourth column' : ''}.`,
    columns: [
      'sender',
      'connections',
      'impressions/s',
      '× connections ÷ latency',
      '× `dispatch`',
      'CPU µs per impression',
    ],
    rows: [...figures.bySetup].map(([{ name, label, connections }, { perSecond, cpuUs }]) => [
      label,
      String(connections),
      formatRounds(perSecond),
      isClosient(name) || latencyMs === 0
        ? ''
        : formatNumber(compareWithLimit(figures, name, connections)),
      isClosient(name) ? '' : formatNumber(compareWithDispatch(figures, name, connections)),
      formatRounds(cpuUs),
    ]),
  }
}

function checkWithoutLatency(figures: DeliveryFigures): TargetResult {
  const ratio = compareWithDispatch(figures, 'ens', MANY_CONNECTIONS)
  return {
    subject: 'ENS delivery at 0 ms',
    target: 'at least 0.85 × the loop of `pool.dispatch`',
    measured: `${formatNumber(ratio)} ×`,
    isReached: ratio >= 0.85,
  }
}

function checkWithLatency(figures: DeliveryFigures): TargetResult {
  const connections = [FEW_CONNECTIONS, MANY_CONNECTIONS]
  const listRatios = (name: SenderName) =>
    connections.map((count) => formatNumber(compareWithLimit(figures, name, count))).join(', ')
  return {
    subject: `ENS delivery at ${LATENCY_MS} ms, ${FEW_CONNECTIONS} connections`,
    target: 'at least 0.95 × connections ÷ latency',
    measured:
      `${listRatios('ens')} × with ${connections.join(', ')} connections; ` +
      `the loop of \`pool.dispatch\`: ${listRatios('dispatch')} ×`,
    isReached: compareWithLimit(figures, 'ens', FEW_CONNECTIONS) >= 0.95,
  }
}

/** The rate relative to the one without failures. */
function compareWithHealthy(figures: FailureFigures, every: number | undefined): number {
  return median(divideByRound(figures.get(every) ?? [], figures.get(undefined) ?? []))
}

function createFailureTable(figures: FailureFigures): ReportTable {
  return {
    caption:
      `The sink answers after ${LATENCY_MS} ms, and one call in so many with 500, as if one of the ` +
      `network's backends failed. ENS impressions delivered per second over ${MANY_CONNECTIONS} connections, ` +
      'while more wait than they can carry.',
    columns: ['failing calls', 'impressions/s', '× none failing'],
    rows: [...figures].map(([every, perSecond]) => [
      every === undefined ? 'none' : `one in ${every}`,
      formatRounds(perSecond),
      formatNumber(compareWithHealthy(figures, every)),
    ]),
  }
}

function checkFailures(figures: FailureFigures): TargetResult {
  const ratio = compareWithHealthy(figures, 100)
  return {
    subject: 'ENS delivery with one failing backend in a hundred',
    target: 'at least 0.9 × the rate without failures',
    measured: `${formatNumber(ratio)} ×; one in twenty: ${formatNumber(compareWithHealthy(figures, 20))} ×`,
    isReached: ratio >= 0.9,
  }
}
