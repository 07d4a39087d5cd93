import { type ContestantName, getContestant } from '../contestants/contestants.js'
import type { ScenarioName } from './fault-scenarios.js'
import type { BurstLoss } from './run-burst.js'
import type { LossFigures } from './run-scenario.js'

/** The contestants whose impressions the sink counts, in the order of the tables. */
export const FAULT_CONTESTANTS: readonly ContestantName[] = [
  'ens',
  'closient',
  'segment',
  'posthog',
  'amplitude',
  'snowplow',
]

export type LossesByScenario = ReadonlyMap<ScenarioName, ReadonlyMap<ContestantName, LossFigures>>
export type BurstsByContestant = ReadonlyMap<ContestantName, BurstLoss>

const SHORT_LABELS: Partial<Record<ContestantName, string>> = {
  ens: 'ad-impressions, ENS',
  closient: 'ad-impressions, Closient',
}

export function getFaultLabel(name: ContestantName): string {
  return SHORT_LABELS[name] ?? getContestant(name).label
}
