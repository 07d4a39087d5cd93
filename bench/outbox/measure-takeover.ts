import { formatNumber, formatRounds, type ReportTable } from '../report.js'
import type { Schedule } from '../schedule.js'
import type { Sink } from '../sink/start-sink.js'
import { type Engine, startFleet } from './bench-fleet.js'
import type { RedisServer } from './redis-server.js'

const ENGINES: readonly Engine[] = ['lmdb', 'redis']
const LEASE_MS = 10_000
const PAGES = 20
const IMPRESSIONS_PER_PAGE = 50
const ROUNDS = 3
/** For all rounds of one outbox. */
const LIMIT_S = 60

/** Measures how long the impressions of a killed process wait until another has sent them. */
export async function measureTakeover(
  schedule: Schedule,
  sink: Sink,
  redis: RedisServer,
): Promise<ReportTable> {
  const rows: string[][] = []
  for (const engine of ENGINES) {
    const seconds: number[] = []
    for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
      schedule.showProgress(`outbox: takeover, ${engine}, round ${round}`)
      seconds.push(await measureRound(engine, sink, redis))
    }
    rows.push([engine, formatRounds(seconds)])
  }
  return {
    caption:
      `One of two processes is killed (SIGKILL) while ${formatNumber(PAGES * IMPRESSIONS_PER_PAGE)} of its ENS impressions ` +
      `wait. Seconds from then until the other has sent them, with a lease of ${LEASE_MS / 1_000} s.`,
    columns: ['outbox', 'seconds'],
    rows,
  }
}

async function measureRound(engine: Engine, sink: Sink, redis: RedisServer): Promise<number> {
  const setup = { engine, network: 'ens', processes: 2, leaseMs: LEASE_MS } as const
  const fleet = await startFleet(setup, sink, redis)
  const { port } = fleet
  const [killed, other] = fleet.processes
  await sink.call('setFault', { port, fault: { kind: 'refuse' } })
  await killed?.call('store', { pages: PAGES, impressions: IMPRESSIONS_PER_PAGE })
  const startMs = performance.now()
  await killed?.stop()
  await sink.call('setFault', { port, fault: undefined })
  await other?.call('waitUntilDelivered')
  const seconds = (performance.now() - startMs) / 1_000
  await fleet.stop()
  return seconds
}
