import { type ContestantName, getContestant } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import type { SiteFramework } from './create-site.js'
import type { ByContestant, ClosedLoopFigures } from './page-figures.js'
import { runClosedLoop } from './run-closed-loop.js'
import type { SharedSites } from './shared-sites.js'

/** Contestants that take turns with each other. Each group includes the bare page. */
interface ContestantGroup {
  readonly names: readonly ContestantName[]
  readonly rounds: Readonly<Record<SiteFramework, number>>
  /** For all rounds together. */
  readonly limitS: number
}

/** Contestants that differ only a little have groups of their own, with more rounds. */
const GROUPS: readonly ContestantGroup[] = [
  {
    names: ['bare', 'local', 'none', 'closientMerged', 'closient'],
    rounds: { koa: 24, express: 10 },
    limitS: 45,
  },
  {
    names: ['bare', 'ens', 'request', 'dispatch'],
    rounds: { koa: 15, express: 7 },
    limitS: 30,
  },
  {
    names: [
      'bare',
      'closientFifty',
      'fetch',
      'awaitedFetch',
      'segment',
      'posthog',
      'amplitude',
      'snowplow',
    ],
    rounds: { koa: 5, express: 5 },
    limitS: 45,
  },
]
/** Until V8 has compiled the hot code. Before that, the added cost looks twice as high. */
const WARM_UPS = 3
/** Turns are short, so that a slow phase of the machine affects all contestants alike. */
const REQUESTS = 192

interface ClosedLoopTurn {
  readonly cpuUs: number
  readonly requestsPerSecond: number
}

export async function measureClosedLoop(
  sites: SharedSites,
  schedule: Schedule,
): Promise<ByContestant<ClosedLoopFigures>> {
  const figures = new Map<ContestantName, ClosedLoopFigures>()
  for (const group of GROUPS) {
    const turnsByName = await runGroup(group, sites, schedule)
    const bareCpuUs = (turnsByName.get('bare') ?? []).map(({ cpuUs }) => cpuUs)
    for (const [name, turns] of turnsByName) {
      // The bare page is in every group. The table shows it as measured in the first one.
      if (figures.has(name)) continue
      const cpuUs = turns.map((turn) => turn.cpuUs)
      const requestsPerSecond = turns.map((turn) => turn.requestsPerSecond)
      figures.set(name, { cpuUs, bareCpuUs, requestsPerSecond })
    }
  }
  return figures
}

async function runGroup(
  { names, rounds, limitS }: ContestantGroup,
  sites: SharedSites,
  schedule: Schedule,
): Promise<ByContestant<readonly ClosedLoopTurn[]>> {
  const { framework } = sites
  const requests = schedule.scaleCount(REQUESTS)
  const turns = new Map<ContestantName, ClosedLoopTurn[]>(names.map((name) => [name, []]))
  for (const round of schedule.rounds(rounds[framework], limitS, WARM_UPS)) {
    for (const site of sites.shuffle(names)) {
      const { name, pool } = site
      schedule.showProgress(
        `${framework} closed loop, round ${round}: ${getContestant(name).label}`,
      )
      const { cpuUs, result } = await sites.measureTurn(site, () => runClosedLoop(pool, requests))
      if (round < 1) continue
      turns.get(name)?.push({ cpuUs: cpuUs / requests, requestsPerSecond: result })
    }
  }
  return turns
}
