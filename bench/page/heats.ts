import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import { closedLoop } from './closed-loop.js'
import type { ByName, ClosedFigures } from './figures.js'
import type { Neighbourhood } from './neighbourhood.js'
import type { Framework } from './site.js'

interface Heat {
  readonly names: readonly ContestantName[]
  readonly rounds: Readonly<Record<Framework, number>>
  readonly limitS: number
}

/** Those that differ by little take turns apart from the others, and more of them. */
const HEATS: readonly Heat[] = [
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
/** Until V8 has compiled what is hot: before that what is added looks like twice as much. */
const WARM_UPS = 3
/** Turns are short: what slows the machine for a while then slows all alike. */
const REQUESTS = 192

interface Turn {
  readonly cpuUs: number
  readonly requestsPerSecond: number
}

/** Closed loop, in heats of which each has the bare page as well. */
export async function measureClosed(
  neighbourhood: Neighbourhood,
  schedule: Schedule,
): Promise<ByName<ClosedFigures>> {
  const figures = new Map<ContestantName, ClosedFigures>()
  for (const heat of HEATS) {
    const turns = await run(heat, neighbourhood, schedule)
    const bareCpuUs = cpuOf(turns.get('bare') ?? [])
    for (const [name, its] of turns) {
      if (figures.has(name)) continue
      const requestsPerSecond = its.map((turn) => turn.requestsPerSecond)
      figures.set(name, { cpuUs: cpuOf(its), bareCpuUs, requestsPerSecond })
    }
  }
  return figures
}

async function run(
  { names, rounds, limitS }: Heat,
  neighbourhood: Neighbourhood,
  schedule: Schedule,
): Promise<ByName<readonly Turn[]>> {
  const { framework } = neighbourhood
  const requests = schedule.amount(REQUESTS)
  const turns = new Map<ContestantName, Turn[]>(names.map((name) => [name, []]))
  for (const round of schedule.rounds(rounds[framework], limitS, WARM_UPS)) {
    for (const site of neighbourhood.shuffled(names)) {
      const { name, pool } = site
      schedule.progress(`${framework} closed loop, round ${round}: ${contestantOf(name).label}`)
      const turn = await neighbourhood.turn(site, () => closedLoop(pool, requests))
      if (round < 1) continue
      turns.get(name)?.push({ cpuUs: turn.cpuUs / requests, requestsPerSecond: turn.result })
    }
  }
  return turns
}

function cpuOf(turns: readonly Turn[]): number[] {
  return turns.map(({ cpuUs }) => cpuUs)
}
