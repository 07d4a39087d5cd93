import { setTimeout as sleep } from 'node:timers/promises'
import type { ContestantName } from '../contestants/contestants.js'
import { openLoop } from '../page/open-loop.js'
import { type RunningSite, startSite } from '../page/running-site.js'
import { type Sink, whenQuiet } from '../sink/start-sink.js'
import type { Scenario, ScenarioName } from './scenarios.js'

/** Those whose impressions are counted as they arrive. */
export const CONTESTED: readonly ContestantName[] = [
  'ens',
  'closient',
  'segment',
  'posthog',
  'amplitude',
  'snowplow',
]

export type Losses = ReadonlyMap<ScenarioName, ReadonlyMap<ContestantName, Loss>>

/** What the sink saw of what was tracked. */
export interface Loss {
  readonly tracked: number
  /** Tracked and never counted by the sink, and of these those that the contestant itself says. */
  readonly lost: number
  readonly said: number
  /** Counted by the sink more than once. */
  readonly twice: number
  /** From the last answer to the end of the process, or from the call of `close` to its end. */
  readonly leavingMs: number | undefined
}

/** Starts one contestant's site; what is returned runs the scenario against it. */
export async function prepareScenario(
  scenario: Scenario,
  name: ContestantName,
  sink: Sink,
): Promise<() => Promise<Loss>> {
  const site = await startSite(name, { framework: 'express', sink, isWatched: true })
  return () => runScenario(scenario, site, sink)
}

/** Each impression has a campaign of its own. */
async function runScenario(scenario: Scenario, site: RunningSite, sink: Sink): Promise<Loss> {
  const { pagesPerSecond, loadS, signal, closeMs } = scenario
  const { name, process, sinkPort, url, contestant } = site
  if (sinkPort === undefined) throw new TypeError(`${name} tells nobody`)
  const firstOf = (page: number) => 1 + page * contestant.impressions

  const faults = setFaults(scenario, sinkPort, sink)
  if (signal) setTimeout(() => process.signal(signal), (scenario.signalS ?? 0) * 1_000)
  const load = await openLoop({
    url,
    perSecond: pagesPerSecond,
    seconds: loadS,
    pathOf: (page) => `/?first=${firstOf(page)}`,
  })
  await faults

  const leavingMs = signal
    ? (await process.exited) - load.lastAnswerMs
    : await process.ask('close', closeMs)
  const outcomes = signal ? undefined : await process.ask('outcomes')
  await whenQuiet(sink, sinkPort)
  const arrivals = await sink.ask('arrivals', sinkPort)
  await process.stop()

  const tracked = load.answered.flatMap((page) =>
    Array.from({ length: contestant.impressions }, (_, place) => firstOf(page) + place),
  )
  const lost = tracked.filter((campaign) => !arrivals.has(campaign))
  const said = lost.filter((campaign) => (outcomes?.get(campaign) ?? 'delivered') !== 'delivered')
  const twice = [...arrivals.values()].filter((times) => times > 1)
  return {
    tracked: tracked.length,
    lost: lost.length,
    said: said.length,
    twice: twice.length,
    leavingMs,
  }
}

async function setFaults({ fault, fromS = 0, untilS }: Scenario, port: number, sink: Sink) {
  if (!fault) return
  await sleep(fromS * 1_000)
  await sink.ask('fault', { port, fault })
  if (untilS === undefined) return
  await sleep((untilS - fromS) * 1_000)
  await sink.ask('fault', { port, fault: undefined })
}
