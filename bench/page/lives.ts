import { type ContestantName, contestantOf, MAIN_NAMES } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import { type Sink, whenQuiet } from '../sink/start-sink.js'
import { closedLoop, connect } from './closed-loop.js'
import type { ByName, LifeFigures } from './figures.js'
import { type RunningSite, startSite } from './running-site.js'
import type { Framework } from './site.js'

const REQUESTS = 300
/** Right before a site is shut down, so that something is left to deliver. */
const LAST_REQUESTS = 101
const CLOSE_TIMEOUT_MS = 2_000

/** Each contestant's site in a process of its own, from its start until it is shut down. */
export async function measureLives(
  framework: Framework,
  sink: Sink,
  schedule: Schedule,
): Promise<ByName<LifeFigures>> {
  const lives = new Map<ContestantName, LifeFigures>()
  for (const name of MAIN_NAMES) {
    schedule.progress(`${framework}, a life: ${contestantOf(name).label}`)
    const site = await startSite(name, { framework, sink })
    lives.set(name, await live(site, sink, schedule.amount(REQUESTS)))
    await site.process.stop()
  }
  return lives
}

async function live(site: RunningSite, sink: Sink, requests: number): Promise<LifeFigures> {
  const { process, url, sinkPort, contestant } = site
  const pool = connect(url)
  await closedLoop(pool, requests)
  await process.ask('flush')
  await whenQuiet(sink, sinkPort)
  const rssBytes = await process.ask('rssBytes')
  await closedLoop(pool, LAST_REQUESTS)
  await pool.destroy()
  const closeMs = await process.ask('close', CLOSE_TIMEOUT_MS)
  await whenQuiet(sink, sinkPort)
  const { calls, impressions } =
    sinkPort === undefined ? { calls: 0, impressions: 0 } : await sink.ask('tally', sinkPort)
  return {
    rssMb: rssBytes / 1e6,
    tracked: (requests + LAST_REQUESTS) * contestant.impressions,
    arrived: impressions,
    calls,
    closeMs,
  }
}
