import type { Schedule } from '../schedule.js'
import type { Sink } from '../sink/start-sink.js'
import { type FailureFigures, LATENCY_MS } from './delivery-report.js'
import { MANY_CONNECTIONS } from './sender-setups.js'
import { type SenderProcess, startSender } from './start-sender.js'

/** One call in so many gets a 500, as if one of so many backends failed. */
const FAILING: readonly (number | undefined)[] = [undefined, 100, 20]

const ROUNDS = 5
const LIMIT_S = 60
const SECONDS = 2
const WARM_UP = 6_000

/** Measures how much is delivered while one of the network's backends fails. */
export async function measureFailingBackends(
  sink: Sink,
  schedule: Schedule,
): Promise<FailureFigures> {
  const senders = new Map<number | undefined, SenderProcess>()
  for (const every of FAILING) senders.set(every, await startFailingSender(sink, every))
  const figures = new Map(FAILING.map((every) => [every, [] as number[]]))
  const seconds = schedule.scaleSeconds(SECONDS)
  // More than the connections can carry, so that it never runs out.
  const impressions = (seconds * MANY_CONNECTIONS * 1_000) / LATENCY_MS
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const [every, sender] of senders) {
      schedule.showProgress(`delivery, round ${round}: one failing backend of ${every ?? '–'}`)
      // Its connections were closed while the other senders had their turns.
      await sender.call('send', impressions / 10)
      figures.get(every)?.push(await sender.call('measureRate', { impressions, seconds }))
    }
  }
  for (const sender of senders.values()) await sender.stop()
  return figures
}

async function startFailingSender(sink: Sink, every: number | undefined): Promise<SenderProcess> {
  const setup = { name: 'ens', connections: MANY_CONNECTIONS, warmUp: WARM_UP } as const
  const { sender, port } = await startSender(setup, LATENCY_MS, sink)
  if (every === undefined) return sender
  await sink.call('setFault', { port, fault: { kind: 'status', status: 500, every } })
  return sender
}
