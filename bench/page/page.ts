import { CONTESTANT_NAMES, type ContestantName } from '../contestants/contestants.js'
import type { Report, Table, Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink, whenQuiet } from '../sink/start-sink.js'
import { quantile } from '../statistics.js'
import { CONNECTIONS, closedLoop, connect } from './closed-loop.js'
import { type Figures, type FiguresByName, noFigures, PAGES_PER_SECOND } from './figures.js'
import { measureInOneProcess } from './one-process.js'
import { openLoop } from './open-loop.js'
import { tablesOf, verdictsOf } from './page-report.js'
import { type RunningSite, startSite } from './running-site.js'

const LATENCY_MS = 20
/** Until V8 has compiled what is hot: before that what is added looks like twice as much. */
const WARM_UP_REQUESTS = 600
const ROUNDS = 5
const SECONDS = 0.5
/** For all rounds of one framework. */
const LIMIT_S = 80
/** Right before a site is shut down, so that something is left to deliver. */
const LAST_REQUESTS = 101
const CLOSE_TIMEOUT_MS = 2_000

/** These differ from others by less than processes do: they have their turns in one process alone. */
const IN_ONE_PROCESS_ALONE: ReadonlySet<ContestantName> = new Set(['local', 'dispatch'])

/** What a page pays for being counted. */
export async function measurePages(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const tables: Table[] = []
  const verdicts: Verdict[] = []
  for (const framework of ['koa', 'express'] as const) {
    const closed = await measureInOneProcess(framework, sink, schedule)
    const sites: RunningSite[] = []
    for (const name of CONTESTANT_NAMES) {
      if (IN_ONE_PROCESS_ALONE.has(name)) continue
      sites.push(await startSite(name, { framework, sink, latencyMs: LATENCY_MS }))
    }
    const open = await measureSites(sites, sink, schedule)
    tables.push(...tablesOf(framework, closed, open))
    verdicts.push(...verdictsOf(framework, closed, open))
  }
  await sink.stop()
  return { title: 'Page cost', tables, verdicts }
}

/** Open loop: sites in processes of their own take turns. */
async function measureSites(
  sites: readonly RunningSite[],
  sink: Sink,
  schedule: Schedule,
): Promise<FiguresByName> {
  const figures = new Map(sites.map(({ name }) => [name, noFigures()]))
  for (const round of schedule.rounds(ROUNDS, LIMIT_S, 1)) {
    for (const site of sites) {
      const { contestant, framework, name } = site
      schedule.progress(`${framework} open loop, round ${round}: ${contestant.label}`)
      const its = figures.get(name) ?? noFigures()
      if (round < 1) await load(site, sink, its, schedule.amount(WARM_UP_REQUESTS))
      else await openRound(site, sink, its, schedule.seconds(SECONDS))
    }
  }
  for (const site of sites) await close(site, sink, figures.get(site.name) ?? noFigures())
  return figures
}

async function openRound(
  site: RunningSite,
  sink: Sink,
  figures: Figures,
  seconds: number,
): Promise<void> {
  const { process, url, contestant } = site
  // While the others had their turns its connections to the sink were closed.
  await load(site, sink, figures, CONNECTIONS)
  const before = await process.ask('usage')
  const { answered, latenciesMs } = await openLoop({ url, perSecond: PAGES_PER_SECOND, seconds })
  await allSent(site, sink)
  const after = await process.ask('usage')
  figures.cpuUs.push((after.cpuUs - before.cpuUs) / answered.length)
  figures.rssMb.push(after.rssBytes / 1e6)
  figures.p50Ms.push(quantile(latenciesMs, 0.5))
  figures.p99Ms.push(quantile(latenciesMs, 0.99))
  figures.tracked += answered.length * contestant.impressions
}

/** As many requests as fast as they go: what they track counts, and nothing else is measured. */
async function load(
  site: RunningSite,
  sink: Sink,
  figures: Figures,
  requests: number,
): Promise<void> {
  await visit(site, figures, requests)
  await allSent(site, sink)
}

async function visit({ url, contestant }: RunningSite, figures: Figures, requests: number) {
  const pool = connect(url)
  await closedLoop(pool, requests)
  await pool.destroy()
  figures.tracked += requests * contestant.impressions
}

async function allSent({ process, sinkPort }: RunningSite, sink: Sink): Promise<void> {
  await process.ask('flush')
  await whenQuiet(sink, sinkPort)
}

async function close(site: RunningSite, sink: Sink, figures: Figures): Promise<void> {
  const { process, sinkPort } = site
  await visit(site, figures, LAST_REQUESTS)
  figures.closeMs = await process.ask('close', CLOSE_TIMEOUT_MS)
  if (sinkPort !== undefined) {
    await whenQuiet(sink, sinkPort)
    const { calls, impressions } = await sink.ask('tally', sinkPort)
    figures.calls = calls
    figures.arrived = impressions
  }
  await process.stop()
}
