import { type ContestantName, getContestant, MAIN_NAMES } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import { type Sink, waitUntilQuiet } from '../sink/start-sink.js'
import type { SiteFramework } from './create-site.js'
import type { ByContestant, StandaloneFigures } from './page-figures.js'
import { createBrowserPool, runClosedLoop } from './run-closed-loop.js'
import { type RunningSite, startSite } from './start-site.js'

const REQUESTS = 300
/** Right before the shutdown, so that something is left to deliver. */
const LAST_REQUESTS = 101
const CLOSE_TIMEOUT_MS = 2_000

/** Runs each contestant's site in its own process, from its start to its shutdown. */
export async function measureStandaloneSites(
  framework: SiteFramework,
  sink: Sink,
  schedule: Schedule,
): Promise<ByContestant<StandaloneFigures>> {
  const figures = new Map<ContestantName, StandaloneFigures>()
  for (const name of MAIN_NAMES) {
    schedule.showProgress(`${framework}, standalone: ${getContestant(name).label}`)
    const site = await startSite(name, { framework, sink })
    figures.set(name, await measureSite(site, sink, schedule.scaleCount(REQUESTS)))
    await site.child.stop()
  }
  return figures
}

async function measureSite(
  { child, url, sinkPort, contestant }: RunningSite,
  sink: Sink,
  requests: number,
): Promise<StandaloneFigures> {
  const pool = createBrowserPool(url)
  await runClosedLoop(pool, requests)
  await child.call('flush')
  await waitUntilQuiet(sink, sinkPort)
  const rssBytes = await child.call('getRssBytes')
  await runClosedLoop(pool, LAST_REQUESTS)
  await pool.destroy()
  const closeMs = await child.call('close', CLOSE_TIMEOUT_MS)
  await waitUntilQuiet(sink, sinkPort)
  const { calls, impressions } =
    sinkPort === undefined ? { calls: 0, impressions: 0 } : await sink.call('getTotals', sinkPort)
  return {
    rssMb: rssBytes / 1e6,
    tracked: (requests + LAST_REQUESTS) * contestant.impressionsPerPage,
    arrived: impressions,
    calls,
    closeMs,
  }
}
