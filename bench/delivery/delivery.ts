import { Child } from '../child.js'
import { AMPLE_TIER } from '../contestants/contestants.js'
import { number, type Report, spread, type Table, type Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { median, ratios } from '../statistics.js'
import type { SenderAnswers } from './sender.js'
import type { SenderName } from './senders.js'

const LATENCIES_MS = [0, 20] as const
type LatencyMs = (typeof LATENCIES_MS)[number]

interface Contestant {
  readonly label: string
  /** Impressions a round, by latency: enough to last some tenths of a second. */
  readonly impressions: Readonly<Record<LatencyMs, number>>
}

/**
 * Of ENS and of the loops. At 0 ms as many as the library uses by default; at 20 ms half as many, for
 * two processors that are the network as well carry no more than some 5,000 calls a second.
 */
const CONNECTIONS = { 0: 128, 20: 64 } as const

// Whole turns of all connections: at 20 ms a turn that was not full would count as slowness.
const ENS_AMOUNTS = { 0: 30 * CONNECTIONS[0], 20: 30 * CONNECTIONS[20] } as const
const FETCH_AMOUNTS = { 0: 8 * CONNECTIONS[0], 20: 8 * CONNECTIONS[20] } as const

const CONTESTANTS: Readonly<Record<SenderName, Contestant>> = {
  ens: { label: 'ad-impressions, ENS', impressions: ENS_AMOUNTS },
  dispatch: { label: 'a loop of `pool.dispatch`', impressions: ENS_AMOUNTS },
  request: { label: 'a loop of `pool.request`', impressions: ENS_AMOUNTS },
  fetch: { label: 'a loop of `fetch`', impressions: FETCH_AMOUNTS },
  closient1: {
    label: 'ad-impressions, Closient, batches of 1',
    impressions: { 0: 3_000, 20: 200 },
  },
  closient10: { label: 'batches of 10', impressions: { 0: 20_000, 20: 2_000 } },
  closient100: { label: 'batches of 100', impressions: { 0: 60_000, 20: 20_000 } },
  closient1000: { label: 'batches of 1,000', impressions: { 0: 100_000, 20: 100_000 } },
}

const ROUNDS = 5
/** One by one over one connection: how long an answer really takes. */
const LONE_CALLS = 20
/** For all rounds at one latency. */
const LIMIT_S = 30

const NAMES = Object.keys(CONTESTANTS) as SenderName[]

interface Figures {
  readonly perSecond: number[]
  readonly cpuUs: number[]
}

interface AtLatency {
  readonly bySender: ReadonlyMap<SenderName, Figures>
  /** Of one call after the other, with the network and the timers of the sink. */
  readonly loneMs: readonly number[]
}

/** What one process delivers when it does nothing else. */
export async function measureDelivery(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const tables: Table[] = []
  const verdicts: Verdict[] = []
  for (const latencyMs of LATENCIES_MS) {
    const figures = await measureAt(latencyMs, sink, schedule)
    tables.push(tableOf(latencyMs, figures))
    verdicts.push(verdictOf(latencyMs, figures))
  }
  await sink.stop()
  return { title: 'Delivery limit', tables, verdicts }
}

async function measureAt(latencyMs: LatencyMs, sink: Sink, schedule: Schedule): Promise<AtLatency> {
  const bySender = new Map<SenderName, Figures>()
  const processes = new Map<SenderName, Child<SenderAnswers>>()
  for (const name of NAMES) {
    bySender.set(name, { perSecond: [], cpuUs: [] })
    processes.set(name, await startSender(name, latencyMs, CONNECTIONS[latencyMs], sink))
  }
  const lone = await startSender('dispatch', latencyMs, 1, sink)
  const loneMs: number[] = []
  // The first turn warms up, and teaches Closient's delivery what the sink allows.
  for (const round of schedule.rounds(ROUNDS, LIMIT_S, 'and one to warm up')) {
    for (const [name, process] of processes) {
      const { label, impressions } = CONTESTANTS[name]
      schedule.progress(`delivery at ${latencyMs} ms, round ${round}: ${label}`)
      const amount = schedule.amount(impressions[latencyMs])
      const { ms, cpuUs } = await process.ask('send', amount)
      if (round === 0) continue
      bySender.get(name)?.perSecond.push((1_000 * amount) / ms)
      bySender.get(name)?.cpuUs.push(cpuUs / amount)
    }
    const { ms } = await lone.ask('send', LONE_CALLS)
    if (round > 0) loneMs.push(ms / LONE_CALLS)
  }
  for (const process of [...processes.values(), lone]) await process.stop()
  return { bySender, loneMs }
}

async function startSender(
  name: SenderName,
  latencyMs: number,
  connections: number,
  sink: Sink,
): Promise<Child<SenderAnswers>> {
  const port = await sink.ask(
    'open',
    name.startsWith('closient')
      ? { wire: 'closient', latencyMs, callsPerMinute: AMPLE_TIER }
      : { wire: 'ens', latencyMs },
  )
  const args = [name, `http://127.0.0.1:${port}`, String(connections)]
  return Child.start<SenderAnswers>(new URL('sender.js', import.meta.url), { args })
}

function tableOf(latencyMs: LatencyMs, { bySender, loneMs }: AtLatency): Table {
  const dispatch = bySender.get('dispatch')?.perSecond ?? []
  const isEns = (name: SenderName) => !name.startsWith('closient')
  return {
    about:
      `A sink that answers after ${latencyMs} ms: impressions delivered per second and CPU time per impression, ` +
      `from when all were tracked to the last answer. ENS and the loops have ${CONNECTIONS[latencyMs]} connections, ` +
      `Closient 8. A call alone takes ${spread(loneMs)} ms.`,
    head: ['sender', 'impressions/s', '× `dispatch`', 'CPU µs each'],
    rows: [...bySender].map(([name, { perSecond, cpuUs }]) => [
      CONTESTANTS[name].label,
      spread(perSecond),
      isEns(name) ? number(median(ratios(perSecond, dispatch))) : '',
      spread(cpuUs),
    ]),
  }
}

function verdictOf(latencyMs: LatencyMs, { bySender, loneMs }: AtLatency): Verdict {
  const perSecond = (name: SenderName) => bySender.get(name)?.perSecond ?? []
  if (latencyMs === 0) {
    const ratio = median(ratios(perSecond('ens'), perSecond('dispatch')))
    return {
      what: 'ENS delivery at 0 ms',
      target: 'at least 0.85 × the plainest `dispatch` loop',
      measured: `${number(ratio)} ×`,
      isReached: ratio >= 0.85,
    }
  }
  const limits = loneMs.map((ms) => (CONNECTIONS[latencyMs] * 1_000) / ms)
  const share = median(ratios(perSecond('ens'), limits))
  const plainShare = median(ratios(perSecond('dispatch'), limits))
  return {
    what: `ENS delivery at ${latencyMs} ms`,
    target: 'at least 0.95 × connections ÷ latency',
    measured:
      `${number(share)} × (${CONNECTIONS[latencyMs]} ÷ ${number(median(loneMs))} ms, what a call alone takes); ` +
      `the plain loop ${number(plainShare)} ×`,
    isReached: share >= 0.95,
  }
}
