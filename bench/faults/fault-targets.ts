import { formatNumber, type TargetResult } from '../report.js'
import { type BurstsByContestant, getFaultLabel, type LossesByScenario } from './fault-figures.js'
import { SCENARIOS, type ScenarioName } from './fault-scenarios.js'
import type { BurstLoss } from './run-burst.js'
import type { LossFigures } from './run-scenario.js'

/** The contestants that are ad-impressions. */
const OWN_NAMES = ['ens', 'closient'] as const

export function checkFaultTargets(
  losses: LossesByScenario,
  bursts: BurstsByContestant,
): TargetResult[] {
  return [
    ...checkLosses(losses),
    ...checkShutdowns(losses),
    ...OWN_NAMES.flatMap((name) => checkBurst(name, bursts.get(name))),
  ]
}

function getOwnLosses(losses: LossesByScenario, scenarios: readonly ScenarioName[]): LossFigures[] {
  return scenarios.flatMap((scenario) =>
    OWN_NAMES.flatMap((name) => losses.get(scenario)?.get(name) ?? []),
  )
}

function sum(
  losses: readonly LossFigures[],
  figure: 'tracked' | 'lost' | 'reported' | 'duplicated',
): number {
  return losses.reduce((total, loss) => total + loss[figure], 0)
}

function checkLosses(losses: LossesByScenario): TargetResult[] {
  const scenarios = [...losses.keys()]
  const duplicated = sum(getOwnLosses(losses, scenarios), 'duplicated')
  const survived = getOwnLosses(
    losses,
    scenarios.filter((name) => name !== 'killed'),
  )
  const unreported = sum(survived, 'lost') - sum(survived, 'reported')
  const killed = getOwnLosses(losses, ['killed'])
  return [
    {
      subject: 'duplicates under every fault',
      target: 'none',
      measured: String(duplicated),
      isReached: duplicated === 0,
    },
    {
      subject: 'lost and not reported, while the process lives',
      target: 'none',
      measured: String(unreported),
      isReached: unreported === 0,
    },
    {
      subject: 'lost and not reported, process killed (memory outbox)',
      target: 'none',
      measured: `${sum(killed, 'lost')} of ${sum(killed, 'tracked')}`,
      isReached: sum(killed, 'lost') === 0,
    },
  ]
}

function checkShutdowns(losses: LossesByScenario): TargetResult[] {
  const getShutdownMs = (scenario: ScenarioName) =>
    OWN_NAMES.map((name) => losses.get(scenario)?.get(name)?.shutdownMs ?? Number.NaN)
  const healthyMs = getShutdownMs('terminated')
  const hangingMs = getShutdownMs('closeWhileHanging')
  const lost = OWN_NAMES.map((name) => losses.get('terminated')?.get(name)?.lost ?? Number.NaN)
  const limitMs = SCENARIOS.closeWhileHanging.closeMs + 100
  return [
    {
      subject: 'shutdown, healthy network (ENS, Closient)',
      target: 'everything delivered within 250 ms of the last answer',
      measured: `${healthyMs.map((ms) => formatNumber(ms)).join(', ')} ms, ${lost.join(', ')} lost`,
      isReached: healthyMs.every((ms) => ms <= 250) && lost.every((count) => count === 0),
    },
    {
      subject: 'shutdown, the network hangs (ENS, Closient)',
      target: '`timeoutMs` (2,000) plus 100 ms',
      measured: `${hangingMs.map((ms) => formatNumber(ms, 4)).join(', ')} ms`,
      isReached: hangingMs.every((ms) => ms <= limitMs),
    },
  ]
}

function checkBurst(
  name: (typeof OWN_NAMES)[number],
  burst: BurstLoss | undefined,
): TargetResult[] {
  const stats = burst?.stats?.[name]
  if (!burst || !stats) return []
  const { tracked, delivered, dropped, uncertain } = stats
  // What was in flight when time ran out may or may not have counted.
  const isExact =
    tracked === burst.tracked &&
    tracked === delivered + dropped + uncertain &&
    burst.arrived >= delivered &&
    burst.arrived <= delivered + uncertain &&
    burst.duplicated === 0
  const figures =
    `${tracked} tracked, ${delivered} delivered, ${dropped} dropped, ` +
    `${uncertain} uncertain, ${burst.arrived} arrived`
  const { maxEventLoopDelayMs, peakMemoryMb } = burst
  return [
    {
      subject: `a burst of 200,000, ${getFaultLabel(name)}`,
      target:
        'accepted or `overflow`, exactly counted; event loop blocked at most 100 ms; under 250 MB',
      measured:
        `${isExact ? 'exact' : figures}; ` +
        `${formatNumber(maxEventLoopDelayMs)} ms; ${formatNumber(peakMemoryMb)} MB`,
      isReached: isExact && maxEventLoopDelayMs <= 100 && peakMemoryMb < 250,
    },
  ]
}
