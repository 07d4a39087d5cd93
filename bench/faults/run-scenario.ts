import { setTimeout as sleep } from 'node:timers/promises'
import type { ContestantName } from '../contestants/contestants.js'
import { runOpenLoop } from '../page/run-open-loop.js'
import { type RunningSite, startSite } from '../page/start-site.js'
import { type Sink, waitUntilQuiet } from '../sink/start-sink.js'
import type { FaultScenario } from './fault-scenarios.js'

/** What the sink received of the impressions that were tracked. */
export interface LossFigures {
  readonly tracked: number
  /** Never counted by the sink. */
  readonly lost: number
  /** Lost impressions that the contestant itself reports as not delivered. */
  readonly reported: number
  /** Counted by the sink more than once. */
  readonly duplicated: number
  /** From the last answer to the end of the process, or how long `close` took. */
  readonly shutdownMs: number | undefined
}

/** Starts one contestant's site, and returns a function that runs the scenario against it. */
export async function prepareScenario(
  scenario: FaultScenario,
  name: ContestantName,
  sink: Sink,
): Promise<() => Promise<LossFigures>> {
  const site = await startSite(name, { framework: 'express', sink, recordsOutcomes: true })
  return () => runScenario(scenario, site, sink)
}

async function runScenario(
  scenario: FaultScenario,
  site: RunningSite,
  sink: Sink,
): Promise<LossFigures> {
  const { signal, signalS = 0, closeMs } = scenario
  const { child, sinkPort } = site
  if (sinkPort === undefined) throw new TypeError(`${site.name} sends no calls`)

  const faults = injectFault(scenario, sinkPort, sink)
  if (signal) setTimeout(() => child.sendSignal(signal), signalS * 1_000)
  const { tracked, lastAnswerMs } = await loadPages(scenario, site)
  await faults

  const shutdownMs = signal
    ? (await child.exitedAtMs) - lastAnswerMs
    : await child.call('close', closeMs)
  const outcomes = signal ? undefined : await child.call('getOutcomes')
  await waitUntilQuiet(sink, sinkPort)
  const countByCampaign = await sink.call('getCountByCampaign', sinkPort)
  await child.stop()

  const lost = tracked.filter((campaign) => !countByCampaign.has(campaign))
  const isReported = (campaign: number) => (outcomes?.get(campaign) ?? 'delivered') !== 'delivered'
  return {
    tracked: tracked.length,
    lost: lost.length,
    reported: lost.filter(isReported).length,
    duplicated: countDuplicates(countByCampaign),
    shutdownMs,
  }
}

/** Every impression has its own campaign, so that each can be found in the sink. */
async function loadPages(
  { pagesPerSecond, loadS }: FaultScenario,
  { url, contestant: { impressionsPerPage } }: RunningSite,
): Promise<{ tracked: readonly number[]; lastAnswerMs: number }> {
  const getFirstCampaign = (page: number) => 1 + page * impressionsPerPage
  const { answeredPages, lastAnswerMs } = await runOpenLoop({
    url,
    perSecond: pagesPerSecond,
    seconds: loadS,
    createPath: (page) => `/?first=${getFirstCampaign(page)}`,
  })
  const tracked = answeredPages.flatMap((page) =>
    Array.from({ length: impressionsPerPage }, (_, slot) => getFirstCampaign(page) + slot),
  )
  return { tracked, lastAnswerMs }
}

/** How many campaigns were counted more than once. */
export function countDuplicates(countByCampaign: ReadonlyMap<number, number>): number {
  return [...countByCampaign.values()].filter((count) => count > 1).length
}

async function injectFault(
  { fault, fromS = 0, untilS }: FaultScenario,
  port: number,
  sink: Sink,
): Promise<void> {
  if (!fault) return
  await sleep(fromS * 1_000)
  await sink.call('setFault', { port, fault })
  if (untilS === undefined) return
  await sleep((untilS - fromS) * 1_000)
  await sink.call('setFault', { port, fault: undefined })
}
