import type { ContestantName } from '../contestants/contestants.js'
import type { BenchReport } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { FAULT_CONTESTANTS } from './fault-figures.js'
import { SCENARIO_GROUPS, SCENARIOS, type ScenarioName } from './fault-scenarios.js'
import { createFaultsReport } from './faults-report.js'
import { type BurstLoss, runBurst } from './run-burst.js'
import { type LossFigures, prepareScenario } from './run-scenario.js'

const BURST_IMPRESSIONS = 200_000

/**
 * Measures what is lost and what counts twice when something fails. The load is low, so that all
 * contestants can run at the same time.
 */
export async function measureFaults(schedule: Schedule): Promise<BenchReport> {
  const sink = await startSink()
  const losses = new Map<ScenarioName, ReadonlyMap<ContestantName, LossFigures>>()
  for (const names of SCENARIO_GROUPS) {
    schedule.showProgress(`faults: ${names.map((name) => SCENARIOS[name].label).join(', ')}`)
    for (const [name, loss] of await runScenarios(names, sink)) losses.set(name, loss)
  }
  const bursts = await measureBursts(sink, schedule)
  await sink.stop()
  return createFaultsReport(losses, bursts)
}

/** Runs several scenarios at the same time, each against every contestant. */
async function runScenarios(names: readonly ScenarioName[], sink: Sink) {
  const runs = await Promise.all(
    names.map(async (name) => [name, await prepareForAll(name, sink)] as const),
  )
  return Promise.all(
    runs.map(async ([name, byContestant]) => {
      const losses = byContestant.map(
        async ([contestant, run]) => [contestant, await run()] as const,
      )
      return [name, new Map(await Promise.all(losses))] as const
    }),
  )
}

function prepareForAll(name: ScenarioName, sink: Sink) {
  return Promise.all(
    FAULT_CONTESTANTS.map(async (contestant) => {
      return [contestant, await prepareScenario(SCENARIOS[name], contestant, sink)] as const
    }),
  )
}

async function measureBursts(
  sink: Sink,
  schedule: Schedule,
): Promise<ReadonlyMap<ContestantName, BurstLoss>> {
  const bursts = new Map<ContestantName, BurstLoss>()
  for (const name of FAULT_CONTESTANTS) {
    schedule.showProgress(`faults, burst: ${name}`)
    bursts.set(name, await runBurst(name, sink, schedule.scaleCount(BURST_IMPRESSIONS)))
  }
  return bursts
}
