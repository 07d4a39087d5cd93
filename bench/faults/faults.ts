import type { ContestantName } from '../contestants/contestants.js'
import type { Report } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { type BurstLoss, runBurst } from './burst.js'
import { reportOf } from './faults-report.js'
import { CONTESTED, type Loss, prepareScenario } from './run-scenario.js'
import { GROUPS, SCENARIOS, type ScenarioName } from './scenarios.js'

const BURST = 200_000

/** What is lost and what counts twice when things break. Little load, so that all run side by side. */
export async function measureFaults(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const losses: [ScenarioName, ReadonlyMap<ContestantName, Loss>][] = []
  for (const names of GROUPS) {
    schedule.progress(`faults: ${names.map((name) => SCENARIOS[name].label).join(', ')}`)
    losses.push(...(await runScenarios(names, sink)))
  }
  const bursts = await measureBursts(sink, schedule)
  await sink.stop()
  return reportOf(new Map(losses), bursts)
}

/** All of them at once, against every contestant. */
async function runScenarios(names: readonly ScenarioName[], sink: Sink) {
  const prepared = await Promise.all(
    names.map(async (name) => {
      const ofEach = CONTESTED.map(
        async (one) => [one, await prepareScenario(SCENARIOS[name], one, sink)] as const,
      )
      return [name, await Promise.all(ofEach)] as const
    }),
  )
  return Promise.all(
    prepared.map(async ([name, runs]) => {
      const ofEach = runs.map(async ([one, run]) => [one, await run()] as const)
      return [name, new Map(await Promise.all(ofEach))] as [typeof name, Map<ContestantName, Loss>]
    }),
  )
}

async function measureBursts(
  sink: Sink,
  schedule: Schedule,
): Promise<ReadonlyMap<ContestantName, BurstLoss>> {
  const bursts = new Map<ContestantName, BurstLoss>()
  for (const name of CONTESTED) {
    schedule.progress(`faults: a burst: ${name}`)
    bursts.set(name, await runBurst(name, sink, schedule.amount(BURST)))
  }
  return bursts
}
