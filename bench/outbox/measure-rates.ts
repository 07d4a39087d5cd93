import { formatRounds, type ReportTable } from '../report.js'
import type { Schedule } from '../schedule.js'
import type { Sink } from '../sink/start-sink.js'
import { type BenchFleet, type Engine, startFleet } from './bench-fleet.js'
import type { RedisServer } from './redis-server.js'

const ENGINES: readonly Engine[] = ['memory', 'lmdb', 'redis']
const PROCESSES = [1, 2, 4]
const IMPRESSIONS = 20_000
const IMPRESSIONS_PER_PAGE = 50
const ROUNDS = 3
/** For all rounds of one row. */
const LIMIT_S = 30

/** Measures how many impressions a second a fleet accepts and delivers. */
export async function measureRates(
  schedule: Schedule,
  sink: Sink,
  redis: RedisServer,
): Promise<ReportTable> {
  const rows: string[][] = []
  for (const engine of ENGINES) {
    for (const processes of PROCESSES) {
      const rates: string[] = []
      for (const network of ['ens', 'closient'] as const) {
        schedule.showProgress(`outbox: ${engine}, ${processes} processes, ${network}`)
        const fleet = await startFleet({ engine, network, processes }, sink, redis)
        rates.push(formatRounds(await measureRounds(fleet, schedule)))
        await fleet.stop()
      }
      rows.push([engine, String(processes), ...rates])
    }
  }
  return {
    caption:
      'Impressions a second that a fleet accepts and delivers, from the first page to the last answer. ' +
      `Pages of ${IMPRESSIONS_PER_PAGE} impressions arrive faster than they can be sent, and the sink answers at once. ` +
      'All processes, the sink and Redis share the machine.',
    columns: ['outbox', 'processes', 'ENS impressions/s', 'Closient impressions/s'],
    rows,
  }
}

async function measureRounds(fleet: BenchFleet, schedule: Schedule): Promise<number[]> {
  const total = schedule.scaleCount(IMPRESSIONS)
  const pages = Math.round(total / IMPRESSIONS_PER_PAGE / fleet.processes.length)
  const rates: number[] = []
  for (const round of schedule.rounds(ROUNDS, LIMIT_S, 1)) {
    const startMs = performance.now()
    await Promise.all(
      fleet.processes.map(async (process) => {
        await process.call('deliver', { pages, impressions: IMPRESSIONS_PER_PAGE })
        // Another process may send what this one has tracked.
        await process.call('waitUntilDelivered')
      }),
    )
    const seconds = (performance.now() - startMs) / 1_000
    if (round > 0) rates.push((pages * IMPRESSIONS_PER_PAGE * fleet.processes.length) / seconds)
  }
  return rates
}
