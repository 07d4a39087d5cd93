import { AMPLE_CALLS_PER_MINUTE } from '../contestants/contestants.js'
import type { BenchReport } from '../report.js'
import { RpcChild } from '../rpc-child.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { CASES, type CaseName, type SinkUrls } from './call-cases.js'
import type { CallMethods } from './call-process.js'
import { CASE_LABELS, type CallFigures, createCallReport, PAGES } from './call-report.js'

/** Limited because no garbage may be collected while allocated bytes are counted. */
const PAGES_ALLOCATED = 500
const WARM_UP_ROUNDS = 6
const WARM_UP_PAGES = 300
const ROUNDS = 5
/** For all rounds together. */
const LIMIT_S = 50

/** Two processes of the same code, because each measurement needs its own V8 options. */
interface CallProcesses {
  readonly timing: RpcChild<CallMethods>
  readonly allocation: RpcChild<CallMethods>
}

/** Measures what the synchronous part of one call costs. */
export async function measureCalls(schedule: Schedule): Promise<BenchReport> {
  const sink = await startSink()
  const processes = await startProcesses(await openSinkPorts(sink))
  await warmUp(processes)
  const figures = await runRounds(processes, schedule)
  const { timing, allocation } = processes
  await Promise.all([timing, allocation, sink].map((child) => child.stop()))
  return createCallReport(figures)
}

async function openSinkPorts(sink: Sink): Promise<SinkUrls> {
  const open = async (protocol: keyof SinkUrls) => {
    const limits = protocol === 'closient' && { callsPerMinute: AMPLE_CALLS_PER_MINUTE }
    return `http://127.0.0.1:${await sink.call('open', { protocol, latencyMs: 0, ...limits })}`
  }
  return {
    ens: await open('ens'),
    closient: await open('closient'),
    segment: await open('segment'),
    posthog: await open('posthog'),
    amplitude: await open('amplitude'),
    snowplow: await open('snowplow'),
  }
}

async function startProcesses(urls: SinkUrls): Promise<CallProcesses> {
  const module = new URL('call-process.js', import.meta.url)
  const args = [JSON.stringify(urls)]
  const timing = await RpcChild.start<CallMethods>(module, { args, nodeArgs: ['--expose-gc'] })
  const allocation = await RpcChild.start<CallMethods>(module, {
    args,
    // The young generation must hold everything that one sample allocates.
    nodeArgs: ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'],
  })
  return { timing, allocation }
}

async function warmUp({ timing, allocation }: CallProcesses): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    for (const name of CASES) {
      await timing.call('measureTime', { name, pages: WARM_UP_PAGES })
      await allocation.call('measureAllocation', { name, pages: WARM_UP_PAGES })
    }
  }
}

async function runRounds(
  { timing, allocation }: CallProcesses,
  schedule: Schedule,
): Promise<ReadonlyMap<CaseName, CallFigures>> {
  const figures = new Map(
    CASES.map((name) => [name, { ns: [] as number[], bytes: [] as number[] }]),
  )
  const pages = schedule.scaleCount(PAGES)
  const pagesAllocated = schedule.scaleCount(PAGES_ALLOCATED)
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const [name, { ns, bytes }] of figures) {
      schedule.showProgress(`calls, round ${round}: ${CASE_LABELS[name]}`)
      ns.push(await timing.call('measureTime', { name, pages }))
      const allocated = await allocation.call('measureAllocation', { name, pages: pagesAllocated })
      if (allocated !== undefined) bytes.push(allocated)
    }
  }
  return figures
}
