import { formatNumber, formatRounds, type ReportTable, type TargetResult } from '../report.js'
import type { Schedule } from '../schedule.js'
import type { Sink } from '../sink/start-sink.js'
import { divideByRound, median, subtractByRound } from '../statistics.js'
import { type BenchFleet, type Engine, startFleet } from './bench-fleet.js'
import type { RedisServer } from './redis-server.js'

const ENGINES: readonly Engine[] = ['disabled', 'memory', 'lmdb', 'redis']
/** A process at rest compiles its code late: so many pages come before the first round. */
const WARM_UP_PAGES = 20_000
const PAGES = 2_000
const IMPRESSIONS_PER_PAGE = 3
const LATENCY_MS = 2
const ROUNDS = 5
const LIMIT_S = 120
const LARGEST_RATIO = 1.5

interface PageFigures {
  readonly cpuUs: number[]
  readonly roundTrips: number[]
}

/** Measures the CPU time that counting adds to a page of three Closient impressions. */
export async function measurePageCpu(
  schedule: Schedule,
  sink: Sink,
  redis: RedisServer,
): Promise<{ table: ReportTable; targets: TargetResult[] }> {
  const fleets = new Map<Engine, BenchFleet>()
  for (const engine of ENGINES) {
    const setup = { engine, network: 'closient', processes: 1, latencyMs: LATENCY_MS } as const
    fleets.set(engine, await startFleet(setup, sink, redis))
  }
  schedule.showProgress('outbox: CPU per page, warm-up')
  const warmUp = { pages: schedule.scaleCount(WARM_UP_PAGES), impressions: IMPRESSIONS_PER_PAGE }
  await Promise.all(
    [...fleets.values()].map(({ processes: [process] }) => process?.call('measureCpu', warmUp)),
  )
  const figures = new Map<Engine, PageFigures>(
    ENGINES.map((engine) => [engine, { cpuUs: [], roundTrips: [] }]),
  )
  for (const round of schedule.rounds(ROUNDS, LIMIT_S, 1)) {
    for (const [engine, fleet] of fleets) {
      schedule.showProgress(`outbox: CPU per page, ${engine}, round ${round}`)
      const { cpuUs, roundTrips } = await measureRound(fleet, schedule, redis)
      if (round < 1) continue
      figures.get(engine)?.cpuUs.push(cpuUs)
      figures.get(engine)?.roundTrips.push(roundTrips)
    }
  }
  for (const fleet of fleets.values()) await fleet.stop()
  return createResult(figures)
}

async function measureRound(fleet: BenchFleet, schedule: Schedule, redis: RedisServer) {
  const pages = schedule.scaleCount(PAGES)
  const [process] = fleet.processes
  const scripts = await redis.countScripts()
  const cpuUs = await process?.call('measureCpu', { pages, impressions: IMPRESSIONS_PER_PAGE })
  const roundTrips = ((await redis.countScripts()) - scripts) / pages
  return { cpuUs: cpuUs ?? Number.NaN, roundTrips }
}

function createResult(figures: ReadonlyMap<Engine, PageFigures>) {
  const listAdded = (engine: Engine) =>
    subtractByRound(figures.get(engine)?.cpuUs ?? [], figures.get('disabled')?.cpuUs ?? [])
  const listRatios = (engine: Engine) => divideByRound(listAdded(engine), listAdded('memory'))
  const table: ReportTable = {
    caption:
      `CPU time that a page with ${IMPRESSIONS_PER_PAGE} Closient impressions adds to its process, delivery included, ` +
      'relative to `enabled: false`. One page every 2 ms, one process; Redis has a process of its own.',
    columns: ['outbox', 'added CPU µs per page', '× memory', 'Redis round trips per page'],
    rows: (['memory', 'lmdb', 'redis'] as const).map((engine) => [
      engine,
      formatRounds(listAdded(engine)),
      formatRounds(listRatios(engine)),
      engine === 'redis' ? formatRounds(figures.get(engine)?.roundTrips ?? []) : '',
    ]),
  }
  const targets = (['lmdb', 'redis'] as const).map((engine) => {
    const ratio = median(listRatios(engine))
    return {
      subject: `Added CPU per page, outbox ${engine}`,
      target: `at most ${LARGEST_RATIO} × the memory outbox`,
      measured: `${formatNumber(ratio)} ×`,
      isReached: ratio <= LARGEST_RATIO,
    }
  })
  return { table, targets }
}
