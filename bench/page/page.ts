import { setTimeout as sleep } from 'node:timers/promises'
import { CONTESTANT_NAMES } from '../contestants/contestants.js'
import type { Report, Table, Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { QUIET_MS, type Sink, startSink, whenQuiet } from '../sink/start-sink.js'
import { quantile } from '../statistics.js'
import { type ClosedLoop, CONNECTIONS, closedLoop } from './closed-loop.js'
import { type Figures, type FiguresByName, noFigures, PAGES_PER_SECOND } from './figures.js'
import { measureInOneProcess } from './one-process.js'
import { openLoop } from './open-loop.js'
import { oneProcessTable, tablesOf, verdictsOf } from './page-report.js'
import { type RunningSite, startSite } from './running-site.js'
import type { Framework } from './site.js'

const LATENCY_MS = 20
const FIRST_REQUESTS = 300
/** Until V8 has compiled what is hot: before that what is added looks like twice as much. */
const WARM_UP_SECONDS = 0.8
const ROUNDS = 5
/** The same for all: each pays a part of what a turn costs besides. */
const CLOSED_REQUESTS = 300
const OPEN_SECONDS = 0.4
/** For all rounds of one framework. */
const CLOSED_LIMIT_S = 35
const OPEN_LIMIT_S = 45
/** Right before a site is shut down, so that something is left to deliver. */
const LAST_REQUESTS = 101
const CLOSE_TIMEOUT_MS = 2_000

/** What a page pays for being counted. */
export async function measurePages(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const tables: Table[] = []
  const verdicts: Verdict[] = []
  for (const framework of ['koa', 'express'] as const) {
    const cpu = await measureInOneProcess(framework, sink, schedule)
    const figures = await measureFramework(framework, sink, schedule)
    tables.push(oneProcessTable(framework, cpu), ...tablesOf(framework, figures))
    verdicts.push(...verdictsOf(framework, cpu, figures))
  }
  await sink.stop()
  return { title: 'Page cost', tables, verdicts }
}

async function measureFramework(
  framework: Framework,
  sink: Sink,
  schedule: Schedule,
): Promise<FiguresByName> {
  const sites: RunningSite[] = []
  for (const name of CONTESTANT_NAMES) {
    // Too little for a difference between processes.
    if (name === 'local') continue
    sites.push(await startSite(name, { framework, sink, latencyMs: LATENCY_MS }))
  }
  const figures = new Map(sites.map(({ name }) => [name, noFigures()]))
  const ofSite = ({ name }: RunningSite): Figures => figures.get(name) ?? noFigures()

  for (const site of sites) {
    schedule.progress(`${framework}, warming up: ${site.contestant.label}`)
    const cold = await closedRound(site, sink, ofSite(site), FIRST_REQUESTS)
    const warmUp = requestsIn(schedule.seconds(WARM_UP_SECONDS), cold)
    await closedRound(site, sink, ofSite(site), warmUp)
  }
  for (const its of figures.values()) forgetRounds(its)

  for (const round of schedule.rounds(ROUNDS, CLOSED_LIMIT_S)) {
    for (const site of sites) {
      schedule.progress(`${framework} closed loop, round ${round}: ${site.contestant.label}`)
      await closedRound(site, sink, ofSite(site), schedule.amount(CLOSED_REQUESTS))
    }
  }
  for (const round of schedule.rounds(ROUNDS, OPEN_LIMIT_S)) {
    for (const site of sites) {
      schedule.progress(`${framework} open loop, round ${round}: ${site.contestant.label}`)
      await openRound(site, sink, ofSite(site), schedule.seconds(OPEN_SECONDS))
    }
  }
  for (const site of sites) await close(site, sink, ofSite(site))
  return figures
}

function requestsIn(seconds: number, { requestsPerSecond }: ClosedLoop): number {
  return Math.max(CONNECTIONS, Math.round(requestsPerSecond * seconds))
}

/** What the warm-up has measured tells nothing; what it has tracked counts. */
function forgetRounds({ closedCpuUs, requestsPerSecond, rssMb }: Figures): void {
  for (const rounds of [closedCpuUs, requestsPerSecond, rssMb]) rounds.length = 0
}

async function closedRound(
  site: RunningSite,
  sink: Sink,
  figures: Figures,
  requests: number,
): Promise<ClosedLoop> {
  const { result, cpuUs } = await withUsage(site, sink, figures, () =>
    closedLoop(site.url, requests),
  )
  const { rssBytes } = await site.process.ask('usage')
  figures.closedCpuUs.push(cpuUs / requests)
  figures.requestsPerSecond.push(result.requestsPerSecond)
  figures.rssMb.push(rssBytes / 1e6)
  figures.tracked += requests * site.contestant.impressions
  return result
}

async function openRound(
  site: RunningSite,
  sink: Sink,
  figures: Figures,
  seconds: number,
): Promise<void> {
  const { url } = site
  const { result, cpuUs } = await withUsage(site, sink, figures, () =>
    openLoop({ url, perSecond: PAGES_PER_SECOND, seconds }),
  )
  const requests = result.answered.length
  figures.openCpuUs.push(cpuUs / requests)
  figures.p50Ms.push(quantile(result.latenciesMs, 0.5))
  figures.latenciesMs.push(...result.latenciesMs)
  figures.tracked += requests * site.contestant.impressions
}

/** The server's CPU time until all that was tracked was sent: who sends later pays for it as well. */
async function withUsage<Result>(
  site: RunningSite,
  sink: Sink,
  figures: Figures,
  load: () => Promise<Result>,
): Promise<{ result: Result; cpuUs: number }> {
  // While the others had their turns its connections to the sink were closed.
  await closedLoop(site.url, CONNECTIONS)
  figures.tracked += CONNECTIONS * site.contestant.impressions
  await allSent(site, sink)
  const before = await site.process.ask('usage')
  const result = await load()
  await allSent(site, sink)
  const after = await site.process.ask('usage')
  return { result, cpuUs: after.cpuUs - before.cpuUs }
}

async function allSent({ process, sinkPort }: RunningSite, sink: Sink): Promise<void> {
  await process.ask('flush')
  if (sinkPort !== undefined) await whenQuiet(sink, sinkPort)
  // As long for who tells nobody: a process that is left alone compiles, which is CPU time as well.
  else await sleep(QUIET_MS)
}

async function close(site: RunningSite, sink: Sink, figures: Figures): Promise<void> {
  const { process, sinkPort, contestant, url } = site
  await closedLoop(url, LAST_REQUESTS)
  figures.tracked += LAST_REQUESTS * contestant.impressions
  figures.closeMs = await process.ask('close', CLOSE_TIMEOUT_MS)
  if (sinkPort !== undefined) {
    await whenQuiet(sink, sinkPort)
    const { calls, impressions } = await sink.ask('tally', sinkPort)
    figures.calls = calls
    figures.arrived = impressions
  }
  await process.stop()
}
