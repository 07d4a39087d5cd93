import { type ContestantName, getContestant, MAIN_NAMES } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import { quantile } from '../statistics.js'
import type { ByContestant, OpenLoopFigures } from './page-figures.js'
import { runOpenLoop } from './run-open-loop.js'
import type { SharedSites } from './shared-sites.js'

/** A rate that every contestant's site can serve. */
export const PAGES_PER_SECOND = 250

const ROUNDS = 5
const SECONDS = 0.5
/** For all rounds together. */
const LIMIT_S = 70

interface CollectedFigures {
  readonly cpuUs: number[]
  readonly p50Ms: number[]
  readonly p99Ms: number[]
}

function createEmptyFigures(): CollectedFigures {
  return { cpuUs: [], p50Ms: [], p99Ms: [] }
}

export async function measureOpenLoop(
  sites: SharedSites,
  schedule: Schedule,
): Promise<ByContestant<OpenLoopFigures>> {
  const { framework } = sites
  const load = { perSecond: PAGES_PER_SECOND, seconds: schedule.scaleSeconds(SECONDS) }
  const requests = Math.round(load.perSecond * load.seconds)
  const figures = new Map(
    MAIN_NAMES.map((name): [ContestantName, CollectedFigures] => [name, createEmptyFigures()]),
  )
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const site of sites.shuffle(MAIN_NAMES)) {
      const { name, url } = site
      schedule.showProgress(`${framework} open loop, round ${round}: ${getContestant(name).label}`)
      const { result, cpuUs } = await sites.measureTurn(site, () => runOpenLoop({ ...load, url }))
      const { latenciesMs } = result
      if (latenciesMs.length < requests) {
        throw new Error(`${url} answered ${latenciesMs.length} of ${requests} requests`)
      }
      const siteFigures = figures.get(name)
      siteFigures?.cpuUs.push(cpuUs / requests)
      siteFigures?.p50Ms.push(quantile(latenciesMs, 0.5))
      siteFigures?.p99Ms.push(quantile(latenciesMs, 0.99))
    }
  }
  return figures
}
