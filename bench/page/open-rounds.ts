import { type ContestantName, contestantOf, MAIN_NAMES } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import { quantile } from '../statistics.js'
import type { ByName, OpenFigures } from './figures.js'
import type { Neighbourhood } from './neighbourhood.js'
import { openLoop } from './open-loop.js'

/** One that every contestant's site can hold. */
export const PAGES_PER_SECOND = 250

const ROUNDS = 5
const SECONDS = 0.5
const LIMIT_S = 70

/** Open loop: at a fixed rate, whether or not what came before was answered. */
export async function measureOpen(
  neighbourhood: Neighbourhood,
  schedule: Schedule,
): Promise<ByName<OpenFigures>> {
  const { framework } = neighbourhood
  const options = { perSecond: PAGES_PER_SECOND, seconds: schedule.seconds(SECONDS) }
  const figures = new Map<ContestantName, OpenFigures>(
    MAIN_NAMES.map((name) => [name, { cpuUs: [], p50Ms: [], p99Ms: [] }]),
  )
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const site of neighbourhood.shuffled(MAIN_NAMES)) {
      const { name, url } = site
      schedule.progress(`${framework} open loop, round ${round}: ${contestantOf(name).label}`)
      const { result, cpuUs } = await neighbourhood.turn(site, () => openLoop({ ...options, url }))
      const due = Math.round(options.perSecond * options.seconds)
      if (result.answered.length < due)
        throw new Error(`${url} answered not all of ${due} requests`)
      const its = figures.get(name)
      its?.cpuUs.push(cpuUs / due)
      its?.p50Ms.push(quantile(result.latenciesMs, 0.5))
      its?.p99Ms.push(quantile(result.latenciesMs, 0.99))
    }
  }
  return figures
}
