import { AMPLE_CALLS_PER_MINUTE } from '../contestants/contestants.js'
import type { BenchReport } from '../report.js'
import { RpcChild } from '../rpc-child.js'
import type { Schedule } from '../schedule.js'
import { startSink } from '../sink/start-sink.js'
import type { MeasuredNetwork, MemoryMethods } from './memory-process.js'
import { createMemoryReport, PAGES_PER_SECOND } from './memory-report.js'
import type { VirtualHourMethods } from './virtual-hour-process.js'

const COUNT = 100_000
const NETWORKS = ['ens', 'closient'] as const

const ROUNDS = 5
/** For all rounds together. */
const LIMIT_S = 60

interface CollectedBytes {
  readonly recurringPageLoad: number[]
  readonly uniquePageLoad: number[]
  readonly pending: number[]
}

/** Measures what is kept in memory, and whether it stays bounded. */
export async function measureMemory(schedule: Schedule): Promise<BenchReport> {
  const count = schedule.scaleCount(COUNT)
  const figures = new Map<MeasuredNetwork, CollectedBytes>(
    NETWORKS.map((network) => [
      network,
      { recurringPageLoad: [], uniquePageLoad: [], pending: [] },
    ]),
  )
  // Nothing here is timed, so everything may be measured at once.
  const hour = runVirtualHour(schedule.scaleCount(PAGES_PER_SECOND))
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    schedule.showProgress(`memory, round ${round}`)
    await Promise.all(
      [...figures].map(([network, collected]) => measureRound(network, collected, count)),
    )
  }
  schedule.showProgress('memory: the virtual hour')
  return createMemoryReport(figures, await hour)
}

async function measureRound(
  network: MeasuredNetwork,
  { recurringPageLoad, uniquePageLoad, pending }: CollectedBytes,
  count: number,
): Promise<void> {
  const pageLoads = { network, pages: count }
  recurringPageLoad.push(
    await measureInProcess((child) => child.call('measureRecurringPageLoad', pageLoads)),
  )
  uniquePageLoad.push(
    await measureInProcess((child) => child.call('measureUniquePageLoad', pageLoads)),
  )
  pending.push(
    await measureInProcess((child) =>
      child.call('measurePending', { network, impressions: count }),
    ),
  )
}

/** Starts a process for each figure, so that nothing of an earlier one is left in memory. */
async function measureInProcess(
  measure: (child: RpcChild<MemoryMethods>) => Promise<number>,
): Promise<number> {
  const module = new URL('memory-process.js', import.meta.url)
  const child = await RpcChild.start<MemoryMethods>(module, { nodeArgs: ['--expose-gc'] })
  const bytes = await measure(child)
  await child.stop()
  return bytes
}

/** Returns the live megabytes at every fifth minute. */
async function runVirtualHour(pagesPerSecond: number): Promise<number[]> {
  const sink = await startSink()
  const port = await sink.call('open', {
    protocol: 'closient',
    latencyMs: 0,
    callsPerMinute: AMPLE_CALLS_PER_MINUTE,
  })
  const module = new URL('virtual-hour-process.js', import.meta.url)
  const hour = await RpcChild.start<VirtualHourMethods>(module, {
    args: [`http://127.0.0.1:${port}`],
    nodeArgs: ['--expose-gc'],
  })
  const samples = await hour.call('run', pagesPerSecond)
  await Promise.all([hour, sink].map((child) => child.stop()))
  return samples.map((bytes) => bytes / 1e6)
}
