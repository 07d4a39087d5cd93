import {
  type ContestantName,
  contestantOf,
  OWN_NAMES,
  PEER_NAMES,
} from '../contestants/contestants.js'
import { number, spread, type Table, type Verdict } from '../report.js'
import { differences, median, ratios } from '../statistics.js'
import { CONNECTIONS } from './closed-loop.js'
import type { ByName, ClosedFigures, LifeFigures, OpenFigures, PageFigures } from './figures.js'
import { PAGES_PER_SECOND } from './open-rounds.js'
import type { Framework } from './site.js'

const FRAMEWORKS: Readonly<Record<Framework, string>> = { koa: 'Koa 3', express: 'Express 5' }

export function tablesOf(
  framework: Framework,
  { closed, open, lives }: PageFigures,
): readonly Table[] {
  const where = FRAMEWORKS[framework]
  return [closedTable(where, closed), openTable(where, open), livesTable(where, lives)]
}

function of<Its>(figures: ByName<Its>, name: ContestantName): Its {
  const its = figures.get(name)
  if (!its) throw new RangeError(`no figures of ${name}`)
  return its
}

function labelled<Its>(figures: ByName<Its>) {
  return [...figures].map(([name, its]) => ({ its, label: contestantOf(name).label }))
}

function closedTable(where: string, closed: ByName<ClosedFigures>): Table {
  return {
    about:
      `${where}, closed loop of ${CONNECTIONS} connections, all sites in one process. In three heats, each ` +
      'with the bare page, they take short turns: CPU time per request until all it tracked was sent, what ' +
      "that is above and over bare's in the same round, and requests answered per second.",
    head: ['contestant', 'rounds', 'CPU µs', 'added µs', '× bare', 'requests/s'],
    rows: labelled(closed).map(({ its, label }) => [
      label,
      String(its.cpuUs.length),
      spread(its.cpuUs),
      spread(differences(its.cpuUs, its.bareCpuUs)),
      spread(ratios(its.cpuUs, its.bareCpuUs)),
      spread(its.requestsPerSecond),
    ]),
  }
}

function openTable(where: string, open: ByName<OpenFigures>): Table {
  const bare = of(open, 'bare')
  return {
    about:
      `${where}, open loop of ${PAGES_PER_SECOND} requests per second, in the same process, ${bare.cpuUs.length} ` +
      'rounds: CPU time per request above bare, and the time from when a request is due to its answer and ' +
      'what that is above bare.',
    head: ['contestant', 'added CPU µs', 'p50 ms', 'added p50 ms', 'p99 ms', 'added p99 ms'],
    rows: labelled(open).map(({ its, label }) => [
      label,
      spread(differences(its.cpuUs, bare.cpuUs)),
      spread(its.p50Ms),
      spread(differences(its.p50Ms, bare.p50Ms), 2),
      spread(its.p99Ms),
      spread(differences(its.p99Ms, bare.p99Ms), 2),
    ]),
  }
}

function livesTable(where: string, lives: ByName<LifeFigures>): Table {
  const bare = of(lives, 'bare')
  return {
    about:
      `${where}, each contestant in a process of its own: its memory (RSS) above bare once all was sent, ` +
      'impressions tracked and those that had reached the sink once it was shut down, calls that took, and ' +
      'how long shutting down took, which @segment/analytics-node is given 2 s for. The sink answers after ' +
      '20 ms, and after 2 ms where each page sends a batch of its own: at 20 ms the 8 connections would ' +
      'carry but 400 a second.',
    head: ['contestant', 'MB added', 'tracked', 'arrived', 'calls per 1,000', 'shut down ms'],
    rows: labelled(lives).map(({ its, label }) => [
      label,
      number(its.rssMb - bare.rssMb, 2),
      its.tracked.toLocaleString('en-US'),
      its.arrived.toLocaleString('en-US'),
      its.arrived === 0 ? '' : number((1_000 * its.calls) / its.arrived),
      shutDownText(its),
    ]),
  }
}

function shutDownText({ tracked, closeMs }: LifeFigures): string {
  if (tracked === 0) return ''
  return closeMs === undefined ? 'cannot' : number(closeMs)
}

export function verdictsOf(framework: Framework, figures: PageFigures): Verdict[] {
  const where = FRAMEWORKS[framework]
  return [...cpuVerdicts(where, figures), ...latencyVerdicts(where, figures)]
}

function cpuVerdicts(where: string, { closed, lives }: PageFigures): Verdict[] {
  const overBare = (name: ContestantName) => {
    const { cpuUs, bareCpuUs } = of(closed, name)
    return median(ratios(cpuUs, bareCpuUs))
  }
  const added = (name: ContestantName) => {
    const { cpuUs, bareCpuUs } = of(closed, name)
    return median(differences(cpuUs, bareCpuUs))
  }
  const cheapestPeer = Math.min(...PEER_NAMES.map(added))
  const closientVerdict = (name: 'closientMerged' | 'closient', how: string, most: number) => {
    const lost = of(lives, name).tracked - of(lives, name).arrived
    return {
      what: `three Closient impressions, ${how}, ${where}`,
      target: `CPU at most ${most} × bare, less than every peer, none lost`,
      measured: `${number(overBare(name))} ×; added ${number(added(name))} µs against ${number(cheapestPeer)} µs; ${lost} lost`,
      isReached: overBare(name) <= most && added(name) < cheapestPeer && lost === 0,
    }
  }
  const none = overBare('none')
  const overRequest = (name: ContestantName) => added(name) / added('request')
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
      measured:
        `${number(overRequest('ens'))} × (the least, \`dispatch\` alone: ${number(overRequest('dispatch'))} ×); ` +
        `${number(added('ens'))} µs against ${number(added('segment'))} µs`,
      isReached: overRequest('ens') <= 0.75 && added('ens') < added('segment'),
    },
  ]
}

function percent(ratio: number): string {
  return `${number((ratio - 1) * 100, 2)} %`
}

function latencyVerdicts(where: string, { open }: PageFigures): Verdict[] {
  const bare = of(open, 'bare')
  const verdict = (quantile: 'p50' | 'p99', mostMs: number): Verdict => {
    const roundsOf = (its: OpenFigures) => its[`${quantile}Ms`]
    const added = (name: ContestantName) =>
      median(differences(roundsOf(of(open, name)), roundsOf(bare)))
    const listed = (names: readonly ContestantName[]) =>
      names.map((name) => number(added(name), 2)).join(', ')
    return {
      what: `added ${quantile} at ${PAGES_PER_SECOND} pages a second, ${where}`,
      target: `under ${mostMs} ms`,
      measured: `${listed(OWN_NAMES)} ms (ENS, Closient merged, single, 50); peers ${listed(PEER_NAMES)} ms`,
      isReached: OWN_NAMES.every((name) => added(name) < mostMs),
    }
  }
  return [verdict('p50', 0.5), verdict('p99', 5)]
}
