import type { Pool } from 'undici'
import { Child } from '../child.js'
import { CONTESTANT_NAMES, type ContestantName, contestantOf } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import { type Sink, whenQuiet } from '../sink/start-sink.js'
import { CONNECTIONS, closedLoop, connect } from './closed-loop.js'
import type { Neighbour, NeighboursAnswers } from './neighbours.js'
import type { Framework } from './site.js'

/** A contestant's figures, one of each round. */
export interface ClosedFigures {
  /** CPU time per request, in microseconds. */
  readonly cpuUs: readonly number[]
  /** That of bare in the same rounds. */
  readonly bareCpuUs: readonly number[]
  readonly requestsPerSecond: readonly number[]
}

export type ClosedByName = ReadonlyMap<ContestantName, ClosedFigures>

interface Heat {
  readonly names: readonly ContestantName[]
  readonly rounds: Readonly<Record<Framework, number>>
  readonly limitS: number
}

/** Those that differ by little take turns apart from the others, and more of them. */
const HEATS: readonly Heat[] = [
  {
    names: ['bare', 'local', 'none', 'closientMerged', 'closient'],
    rounds: { koa: 30, express: 12 },
    limitS: 45,
  },
  { names: ['bare', 'ens', 'request', 'dispatch'], rounds: { koa: 16, express: 8 }, limitS: 25 },
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
    rounds: { koa: 6, express: 5 },
    limitS: 45,
  },
]
const WARM_UPS = 3
/** Turns are short: what slows the machine for a while then slows all alike. */
const REQUESTS = 192
const LATENCY_MS = 20

/** What one turn of a site came to. */
interface Turn {
  /** CPU time per request, in microseconds. */
  readonly cpuUs: number
  readonly requestsPerSecond: number
}

/** A site, and what it takes to give it a turn. */
interface Site extends Neighbour {
  readonly place: number
  readonly pool: Pool
}

/**
 * Closed loop: all sites in one process take turns. Processes differ by some per cent even where they
 * run the same code, and more where each has stood still while a dozen others ran.
 */
export async function measureInOneProcess(
  framework: Framework,
  sink: Sink,
  schedule: Schedule,
): Promise<ClosedByName> {
  const neighbours = await Promise.all(CONTESTANT_NAMES.map((name) => open(name, sink)))
  const child = await Child.start<NeighboursAnswers>(new URL('neighbours.js', import.meta.url), {
    args: [framework, JSON.stringify(neighbours)],
  })
  const ports = await child.ask('ports')
  const sites = new Map(
    neighbours.map((neighbour, place): [ContestantName, Site] => [
      neighbour.name,
      { ...neighbour, place, pool: connect(`http://127.0.0.1:${ports[place]}`) },
    ]),
  )
  const requests = schedule.amount(REQUESTS)

  async function allSent({ place, sinkPort }: Site): Promise<void> {
    await child.ask('flush', place)
    await whenQuiet(sink, sinkPort)
  }

  async function turn(site: Site): Promise<Turn> {
    // While the others had their turns its connections to the sink may have been closed.
    await closedLoop(site.pool, CONNECTIONS)
    await allSent(site)
    const before = await child.ask('cpuUs')
    const requestsPerSecond = await closedLoop(site.pool, requests)
    await allSent(site)
    return { cpuUs: ((await child.ask('cpuUs')) - before) / requests, requestsPerSecond }
  }

  const figures = new Map<ContestantName, ClosedFigures>()
  for (const { names, rounds, limitS } of HEATS) {
    const heat = names.flatMap((name) => sites.get(name) ?? [])
    const turns = new Map<ContestantName, Turn[]>(names.map((name) => [name, []]))
    for (const round of schedule.rounds(rounds[framework], limitS, WARM_UPS)) {
      for (const first of heat.keys()) {
        // Each round begins with another: who follows whom pays for some of the other's garbage.
        const site = heat[(first + round + WARM_UPS) % heat.length]
        if (!site) continue
        const { name } = site
        schedule.progress(`${framework} closed loop, round ${round}: ${contestantOf(name).label}`)
        const figure = await turn(site)
        if (round > 0) turns.get(name)?.push(figure)
      }
    }
    const bareCpuUs = cpuOf(turns.get('bare') ?? [])
    for (const [name, its] of turns) {
      if (figures.has(name)) continue
      const requestsPerSecond = its.map((one) => one.requestsPerSecond)
      figures.set(name, { cpuUs: cpuOf(its), bareCpuUs, requestsPerSecond })
    }
  }
  await Promise.all([...sites.values()].map(({ pool }) => pool.destroy()))
  await child.stop()
  return figures
}

function cpuOf(turns: readonly Turn[]): number[] {
  return turns.map(({ cpuUs }) => cpuUs)
}

async function open(name: ContestantName, sink: Sink): Promise<Neighbour> {
  const { wire, latencyMs = LATENCY_MS, callsPerMinute } = contestantOf(name)
  const sinkPort = wire && (await sink.ask('open', { wire, latencyMs, callsPerMinute }))
  return { name, sinkPort }
}
