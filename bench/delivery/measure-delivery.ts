import type { BenchReport } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { createDeliveryReport, type DeliveryFigures, LATENCY_MS } from './delivery-report.js'
import { measureFailingBackends } from './failing-backends.js'
import {
  SEQUENTIAL_SETUP,
  SETUPS_WITH_LATENCY,
  SETUPS_WITHOUT_LATENCY,
  type SenderSetup,
} from './sender-setups.js'
import { type SenderProcess, startSender } from './start-sender.js'

const ROUNDS = 5
const SEQUENTIAL_CALLS = 20
/** For all rounds at one latency. */
const LIMIT_S = 45

/** Measures how much one process delivers when it does nothing else. */
export async function measureDelivery(schedule: Schedule): Promise<BenchReport> {
  const sink = await startSink()
  const withoutLatency = await measureSetups(SETUPS_WITHOUT_LATENCY, 0, sink, schedule)
  const withLatency = await measureSetups(SETUPS_WITH_LATENCY, LATENCY_MS, sink, schedule)
  const failing = await measureFailingBackends(sink, schedule)
  await sink.stop()
  return createDeliveryReport(withoutLatency, withLatency, failing)
}

async function measureSetups(
  setups: readonly SenderSetup[],
  latencyMs: number,
  sink: Sink,
  schedule: Schedule,
): Promise<DeliveryFigures> {
  const senders = new Map<SenderSetup, SenderProcess>()
  for (const setup of setups) {
    schedule.showProgress(`delivery at ${latencyMs} ms, warm-up: ${setup.label}`)
    senders.set(setup, (await startSender(setup, latencyMs, sink)).sender)
  }
  const { sender: sequential } = await startSender(SEQUENTIAL_SETUP, latencyMs, sink)
  const bySetup = new Map(
    setups.map((setup) => [setup, { perSecond: [] as number[], cpuUs: [] as number[] }]),
  )
  const sequentialMs: number[] = []
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const [setup, sender] of senders) {
      const { label, connections } = setup
      schedule.showProgress(`delivery at ${latencyMs} ms, round ${round}: ${label}, ${connections}`)
      const { perSecond, cpuUs } = await measureRound(setup, sender, schedule)
      bySetup.get(setup)?.perSecond.push(perSecond)
      bySetup.get(setup)?.cpuUs.push(cpuUs)
    }
    sequentialMs.push(await measureSequentialCall(sequential))
  }
  for (const sender of [...senders.values(), sequential]) await sender.stop()
  return { bySetup, sequentialMs }
}

async function measureRound(
  { impressions }: SenderSetup,
  sender: SenderProcess,
  schedule: Schedule,
): Promise<{ perSecond: number; cpuUs: number }> {
  const count = schedule.scaleCount(impressions)
  // Its connections were closed while the other senders had their turns.
  await sender.call('send', Math.ceil(count / 10))
  const { ms, cpuUs } = await sender.call('send', count)
  return { perSecond: (1_000 * count) / ms, cpuUs: cpuUs / count }
}

async function measureSequentialCall(sender: SenderProcess): Promise<number> {
  await sender.call('send', 1)
  const { ms } = await sender.call('send', SEQUENTIAL_CALLS)
  return ms / SEQUENTIAL_CALLS
}
