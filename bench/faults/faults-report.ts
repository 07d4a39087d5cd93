import { type BenchReport, formatCount, formatNumber, type ReportTable } from '../report.js'
import {
  type BurstsByContestant,
  FAULT_CONTESTANTS,
  getFaultLabel,
  type LossesByScenario,
} from './fault-figures.js'
import { SCENARIOS, type ScenarioName } from './fault-scenarios.js'
import { checkFaultTargets } from './fault-targets.js'
import type { LossFigures } from './run-scenario.js'

export function createFaultsReport(
  losses: LossesByScenario,
  bursts: BurstsByContestant,
): BenchReport {
  return {
    title: 'Loss and duplication',
    tables: [createLossTable(losses), createShutdownTable(losses), createBurstTable(bursts)],
    targets: checkFaultTargets(losses, bursts),
  }
}

function createLossTable(losses: LossesByScenario): ReportTable {
  return {
    caption:
      'Each cell is `tracked: lost · duplicated`. Tracked are the impressions of pages that were answered. Lost ' +
      'are those that the sink never counted; in parentheses, how many of them the library itself reports as ' +
      'not delivered. Duplicated are those that the sink counted more than once. The load is ten pages a second ' +
      'of three impressions, and sixty where the process ends. A call that was read and not answered has ' +
      'counted, which is the worst case for a library that sends it again.',
    columns: ['fault', ...FAULT_CONTESTANTS.map(getFaultLabel)],
    rows: [...losses].map(([name, byContestant]) => [
      SCENARIOS[name].label,
      ...FAULT_CONTESTANTS.map((contestant) => formatLoss(byContestant.get(contestant))),
    ]),
  }
}

function formatLoss(loss: LossFigures | undefined): string {
  if (!loss) return '–'
  const { tracked, lost, reported, duplicated } = loss
  return `${tracked}: ${lost}${reported > 0 ? ` (${reported} reported)` : ''} · ${duplicated}`
}

const SHUTDOWN_SCENARIOS = [
  'terminated',
  'closeWhileHanging',
] as const satisfies readonly ScenarioName[]

function createShutdownTable(losses: LossesByScenario): ReportTable {
  return {
    caption:
      'Milliseconds that a shutdown takes. With SIGTERM: from the last answer to the end of the process. While ' +
      'the network hangs: how long `close` takes with a timeout of 2 s.',
    columns: ['', ...FAULT_CONTESTANTS.map(getFaultLabel)],
    rows: SHUTDOWN_SCENARIOS.map((name) => [
      SCENARIOS[name].label,
      ...FAULT_CONTESTANTS.map((contestant) =>
        formatNumber(losses.get(name)?.get(contestant)?.shutdownMs ?? Number.NaN),
      ),
    ]),
  }
}

function createBurstTable(bursts: BurstsByContestant): ReportTable {
  return {
    caption:
      '200,000 impressions at once, on pages of fifty, five pages per turn of the event loop, followed by 3 s to ' +
      'deliver them to a sink without latency. The table shows what arrived, what the library reports as ' +
      'dropped, the longest time for which the event loop was blocked, and the memory of the process (RSS) at ' +
      'its peak and before the burst.',
    columns: [
      'contestant',
      'tracked',
      'arrived',
      'duplicated',
      'dropped',
      'event loop blocked, ms',
      'peak MB',
      'MB before',
    ],
    rows: FAULT_CONTESTANTS.flatMap((name) => {
      const burst = bursts.get(name)
      if (!burst) return []
      const stats = burst.stats?.[name]
      return [
        [
          getFaultLabel(name),
          formatCount(burst.tracked),
          formatCount(burst.arrived),
          formatCount(burst.duplicated),
          stats ? formatCount(stats.dropped) : 'not reported',
          formatNumber(burst.maxEventLoopDelayMs),
          formatNumber(burst.peakMemoryMb),
          formatNumber(burst.memoryBeforeMb),
        ],
      ]
    }),
  }
}
