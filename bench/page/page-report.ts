import {
  type ContestantName,
  contestantOf,
  OWN_NAMES,
  PEER_NAMES,
} from '../contestants/contestants.js'
import { number, spread, type Table, type Verdict } from '../report.js'
import { differences, median, quantile, ratios } from '../statistics.js'
import { CONNECTIONS } from './closed-loop.js'
import { type Figures, type FiguresByName, PAGES_PER_SECOND } from './figures.js'
import type { CpuByName, NeighbourName } from './one-process.js'
import type { Framework } from './site.js'

const FRAMEWORKS: Readonly<Record<Framework, string>> = { koa: 'Koa 3', express: 'Express 5' }

function of(figures: FiguresByName, name: ContestantName): Figures {
  const found = figures.get(name)
  if (!found) throw new RangeError(`no figures of ${name}`)
  return found
}

export function tablesOf(framework: Framework, figures: FiguresByName): Table[] {
  const bare = of(figures, 'bare')
  const rows = [...figures].map(([name, its]) => ({ name, its, label: contestantOf(name).label }))
  return [
    {
      about:
        `${FRAMEWORKS[framework]}, closed loop of ${CONNECTIONS} connections: the server's CPU time per request until all ` +
        'it tracked was sent, what that is above bare and over bare, requests answered per second, and memory (RSS) ' +
        'above bare. Each is a process of its own.',
      head: ['contestant', 'CPU µs', 'added µs', '× bare', 'requests/s', 'MB added'],
      rows: rows.map(({ its, label }) => [
        label,
        spread(its.closedCpuUs),
        spread(differences(its.closedCpuUs, bare.closedCpuUs)),
        spread(ratios(its.closedCpuUs, bare.closedCpuUs)),
        spread(its.requestsPerSecond),
        number(median(differences(its.rssMb, bare.rssMb)), 2),
      ]),
    },
    {
      about:
        `${FRAMEWORKS[framework]}, open loop of ${PAGES_PER_SECOND} requests per second: CPU time per request above ` +
        'bare, and the time from when a request is due to its answer, above bare; the p99 is that of all rounds.',
      head: ['contestant', 'added CPU µs', 'p50 ms', 'added p50 ms', 'p99 ms', 'added p99 ms'],
      rows: rows.map(({ its, label }) => [
        label,
        spread(differences(its.openCpuUs, bare.openCpuUs)),
        spread(its.p50Ms),
        spread(differences(its.p50Ms, bare.p50Ms), 2),
        number(p99(its)),
        number(p99(its) - p99(bare), 2),
      ]),
    },
    {
      about:
        `${FRAMEWORKS[framework]}, all rounds together: impressions tracked and those that had reached the ` +
        'sink once the contestant was shut down, calls that took, and how long shutting down took. The sink answers after 20 ms, and after 2 ms ' +
        'where each page sends a batch of its own: at 20 ms the 8 connections would carry but 400 a second.',
      head: ['contestant', 'tracked', 'arrived', 'calls per 1,000', 'shut down ms'],
      rows: rows
        .filter(({ its }) => its.tracked > 0)
        .map(({ its, label }) => [
          label,
          its.tracked.toLocaleString('en-US'),
          its.arrived.toLocaleString('en-US'),
          number((1_000 * its.calls) / its.arrived),
          its.closeMs === undefined ? 'cannot' : number(its.closeMs),
        ]),
    },
  ]
}

/** The sites in one process, where small differences show. */
export function oneProcessTable(framework: Framework, cpu: CpuByName): Table {
  const bare = cpu.get('bare') ?? []
  return {
    about:
      `${FRAMEWORKS[framework]}, sites in one process that take short turns, ${bare.length} rounds: CPU time per request ` +
      'until all it tracked was sent, what that is above bare and over bare.',
    head: ['contestant', 'CPU µs', 'added µs', '× bare'],
    rows: [...cpu].map(([name, rounds]) => [
      contestantOf(name).label,
      spread(rounds),
      spread(differences(rounds, bare)),
      spread(ratios(rounds, bare)),
    ]),
  }
}

export function verdictsOf(
  framework: Framework,
  cpu: CpuByName,
  figures: FiguresByName,
): Verdict[] {
  const where = FRAMEWORKS[framework]
  return [...cpuVerdicts(where, cpu, figures), ...latencyVerdicts(where, figures)]
}

function cpuVerdicts(where: string, cpu: CpuByName, figures: FiguresByName): Verdict[] {
  const rounds = (name: NeighbourName) => cpu.get(name) ?? []
  const overBare = (name: NeighbourName) => median(ratios(rounds(name), rounds('bare')))
  const bare = of(figures, 'bare').closedCpuUs
  const addedApart = (name: ContestantName) =>
    median(differences(of(figures, name).closedCpuUs, bare))
  const cheapestPeer = Math.min(...PEER_NAMES.map(addedApart))
  const closientVerdict = (name: 'closientMerged' | 'closient', how: string, most: number) => {
    const lost = of(figures, name).tracked - of(figures, name).arrived
    return {
      what: `three Closient impressions, ${how}, ${where}`,
      target: `CPU at most ${most} × bare, less than every peer, none lost`,
      measured: `${number(overBare(name))} ×, in processes of their own ${number(median(ratios(of(figures, name).closedCpuUs, bare)))} ×; added ${number(addedApart(name))} µs against ${number(cheapestPeer)} µs; ${lost} lost`,
      isReached: overBare(name) <= most && addedApart(name) < cheapestPeer && lost === 0,
    }
  }
  const none = overBare('none')
  const ensOverRequest = addedApart('ens') / addedApart('request')
  return [
    {
      what: `a request that tracks nothing, ${where}`,
      target: 'within 2 % of bare',
      measured: `${percent(none)}; any local: ${percent(overBare('local'))}`,
      isReached: none <= 1.02,
    },
    closientVerdict('closientMerged', 'pages merge', 1.25),
    closientVerdict('closient', 'a batch a page', 1.5),
    {
      what: `three ENS impressions, added CPU, ${where}`,
      target: 'at most 0.75 × undici.request, less than @segment/analytics-node',
      measured: `${number(ensOverRequest)} ×; ${number(addedApart('ens'))} µs against ${number(addedApart('segment'))} µs`,
      isReached: ensOverRequest <= 0.75 && addedApart('ens') < addedApart('segment'),
    },
  ]
}

function p99({ latenciesMs }: Figures): number {
  return quantile(latenciesMs, 0.99)
}

function percent(ratio: number): string {
  return `${number((ratio - 1) * 100, 2)} %`
}

function latencyVerdicts(where: string, figures: FiguresByName): Verdict[] {
  const bare = of(figures, 'bare')
  const p50 = (name: ContestantName) => median(differences(of(figures, name).p50Ms, bare.p50Ms))
  const addedP99 = (name: ContestantName) => p99(of(figures, name)) - p99(bare)
  const listed = (names: readonly ContestantName[], added: (name: ContestantName) => number) =>
    names.map((name) => number(added(name), 2)).join(', ')
  return [
    {
      what: `added p50 at ${PAGES_PER_SECOND} pages a second, ${where}`,
      target: 'under 0.5 ms',
      measured: `${listed(OWN_NAMES, p50)} ms (ENS, Closient merged, single, 50)`,
      isReached: OWN_NAMES.every((name) => p50(name) < 0.5),
    },
    {
      what: `added p99 at ${PAGES_PER_SECOND} pages a second, ${where}`,
      target: 'under 5 ms',
      measured: `${listed(OWN_NAMES, addedP99)} ms; peers ${listed(PEER_NAMES, addedP99)} ms`,
      isReached: OWN_NAMES.every((name) => addedP99(name) < 5),
    },
  ]
}
