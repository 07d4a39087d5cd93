import type { BenchReport } from '../report.js'
import type { Schedule } from '../schedule.js'
import { startSink } from '../sink/start-sink.js'
import { measureLmdbSteps } from './measure-lmdb-steps.js'
import { measurePageCpu } from './measure-page-cpu.js'
import { measureRates } from './measure-rates.js'
import { measureTakeover } from './measure-takeover.js'
import { RedisServer } from './redis-server.js'

/** Measures what sharing an outbox costs, and how fast others take over from a dead process. */
export async function measureOutbox(schedule: Schedule): Promise<BenchReport> {
  const sink = await startSink()
  const redis = await RedisServer.start()
  const rates = await measureRates(schedule, sink, redis)
  const { table: cpu, targets } = await measurePageCpu(schedule, sink, redis)
  const takeover = await measureTakeover(schedule, sink, redis)
  await redis.stop()
  await sink.stop()
  const lmdb = await measureLmdbSteps(schedule)
  return { title: 'Outbox', tables: [rates, cpu, takeover, ...lmdb], targets }
}
