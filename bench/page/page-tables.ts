import { getContestant } from '../contestants/contestants.js'
import { formatCount, formatNumber, formatRounds, type ReportTable } from '../report.js'
import { divideByRound, subtractByRound } from '../statistics.js'
import type { SiteFramework } from './create-site.js'
import { PAGES_PER_SECOND } from './measure-open-loop.js'
import {
  type ByContestant,
  type ClosedLoopFigures,
  FRAMEWORK_LABELS,
  getFigures,
  type OpenLoopFigures,
  type PageFigures,
  type StandaloneFigures,
} from './page-figures.js'
import { CONNECTIONS } from './run-closed-loop.js'

export function createPageTables(
  framework: SiteFramework,
  { closedLoop, openLoop, standalone }: PageFigures,
): readonly ReportTable[] {
  const label = FRAMEWORK_LABELS[framework]
  return [
    createClosedLoopTable(label, closedLoop),
    createOpenLoopTable(label, openLoop),
    createStandaloneTable(label, standalone),
  ]
}

/** Creates one row for each contestant, which begins with its label. */
function createRows<Figures>(
  figures: ByContestant<Figures>,
  formatCells: (figures: Figures) => readonly string[],
): readonly (readonly string[])[] {
  return [...figures].map(([name, its]) => [getContestant(name).label, ...formatCells(its)])
}

function createClosedLoopTable(
  framework: string,
  figures: ByContestant<ClosedLoopFigures>,
): ReportTable {
  return {
    caption:
      `${framework}, closed loop of ${CONNECTIONS} connections, all sites in one process. In three groups, each with ` +
      'the bare page, they take short turns. CPU time is per request, until everything it tracked was sent; ' +
      'the difference from bare and the ratio to it are those of the same round.',
    columns: ['contestant', 'rounds', 'CPU µs', 'added µs', '× bare', 'requests/s'],
    rows: createRows(figures, ({ cpuUs, bareCpuUs, requestsPerSecond }) => [
      String(cpuUs.length),
      formatRounds(cpuUs),
      formatRounds(subtractByRound(cpuUs, bareCpuUs)),
      formatRounds(divideByRound(cpuUs, bareCpuUs)),
      formatRounds(requestsPerSecond),
    ]),
  }
}

function createOpenLoopTable(
  framework: string,
  figures: ByContestant<OpenLoopFigures>,
): ReportTable {
  const bare = getFigures(figures, 'bare')
  return {
    caption:
      `${framework}, open loop of ${PAGES_PER_SECOND} requests per second, in the same process, ${bare.cpuUs.length} rounds. ` +
      'CPU time is per request, above bare. Latency is from when a request is due to the end of its answer, ' +
      'in total and above bare.',
    columns: ['contestant', 'added CPU µs', 'p50 ms', 'added p50 ms', 'p99 ms', 'added p99 ms'],
    rows: createRows(figures, ({ cpuUs, p50Ms, p99Ms }) => [
      formatRounds(subtractByRound(cpuUs, bare.cpuUs)),
      formatRounds(p50Ms),
      formatRounds(subtractByRound(p50Ms, bare.p50Ms), 2),
      formatRounds(p99Ms),
      formatRounds(subtractByRound(p99Ms, bare.p99Ms), 2),
    ]),
  }
}

function createStandaloneTable(
  framework: string,
  figures: ByContestant<StandaloneFigures>,
): ReportTable {
  const bare = getFigures(figures, 'bare')
  return {
    caption:
      `${framework}, each contestant in its own process: its memory (RSS) above bare once everything was sent, ` +
      'impressions tracked, impressions that had arrived at the sink after the shutdown, calls per 1,000 ' +
      'impressions, and the duration of the shutdown, with a timeout of 2 s where one can be set. The sink ' +
      'answers after 20 ms, or after 2 ms where each page sends its own batch: at 20 ms, 8 connections would ' +
      'carry only 400 batches a second.',
    columns: ['contestant', 'MB added', 'tracked', 'arrived', 'calls per 1,000', 'shutdown ms'],
    rows: createRows(figures, ({ rssMb, tracked, arrived, calls, closeMs }) => [
      formatNumber(rssMb - bare.rssMb, 2),
      formatCount(tracked),
      formatCount(arrived),
      arrived === 0 ? '' : formatNumber((1_000 * calls) / arrived),
      tracked === 0 ? '' : formatShutdown(closeMs),
    ]),
  }
}

function formatShutdown(closeMs: number | undefined): string {
  return closeMs === undefined ? 'not supported' : formatNumber(closeMs)
}
