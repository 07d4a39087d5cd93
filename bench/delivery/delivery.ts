import { Child } from '../child.js'
import { AMPLE_TIER } from '../contestants/contestants.js'
import { number, type Report, spread, type Table, type Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { median, ratios } from '../statistics.js'
import type { SenderAnswers } from './sender.js'
import type { SenderName } from './senders.js'

/** A sender over so many connections, and how much it sends a round. */
interface Contestant {
  readonly name: SenderName
  readonly label: string
  readonly connections: number
  /** Enough to last some tenths of a second. */
  readonly impressions: number
  /** Impressions until V8 has compiled what is hot. */
  readonly warmUp: number
}

const ENS = 'ad-impressions, ENS'
const DISPATCH = 'a loop of `pool.dispatch`'
/** Whole turns of all connections: one that was not full would count as slowness. */
const TURNS = 30
const FETCH_TURNS = 8
const WARM_UP_CALLS_A_TURN = 200

function oneByOne(name: SenderName, label: string, connections: number, turns = TURNS): Contestant {
  const warmUp = WARM_UP_CALLS_A_TURN * turns
  return { name, label, connections, impressions: turns * connections, warmUp }
}

function ensAndLoops(connections: number): readonly Contestant[] {
  return [
    oneByOne('ens', ENS, connections),
    oneByOne('dispatch', DISPATCH, connections),
    oneByOne('request', 'a loop of `pool.request`', connections),
    oneByOne('fetch', 'a loop of `fetch`', connections, FETCH_TURNS),
  ]
}

const BATCHES = [
  { name: 'closient1', size: '1', atOnce: 3_000, afterLatency: 120 },
  { name: 'closient10', size: '10', atOnce: 20_000, afterLatency: 1_200 },
  { name: 'closient100', size: '100', atOnce: 60_000, afterLatency: 12_000 },
  { name: 'closient1000', size: '1,000', atOnce: 100_000, afterLatency: 104_000 },
] as const

function closientBatches(when: 'atOnce' | 'afterLatency'): Contestant[] {
  return BATCHES.map(({ name, size, atOnce, [when]: impressions }) => {
    const label = `ad-impressions, Closient, batches of ${size}`
    return { name, label, connections: 8, impressions, warmUp: atOnce }
  })
}

/** As many connections as the library uses by default. */
const AT_ONCE = [...ensAndLoops(128), ...closientBatches('atOnce')]

const LATENCY_MS = 20
/** So many two processors can serve, which are the network as well; and more than that. */
const FEW_CONNECTIONS = 16
const MANY_CONNECTIONS = 128

const AFTER_LATENCY = [
  ...ensAndLoops(FEW_CONNECTIONS),
  oneByOne('ens', ENS, MANY_CONNECTIONS),
  oneByOne('dispatch', DISPATCH, MANY_CONNECTIONS),
  ...closientBatches('afterLatency'),
]

const ROUNDS = 5
/** One by one over one connection: how long an answer really takes. */
const LONE = oneByOne('dispatch', DISPATCH, 1, FETCH_TURNS)
const LONE_CALLS = 20
/** For all rounds at one latency. */
const LIMIT_S = 45

interface Figures {
  readonly perSecond: number[]
  readonly cpuUs: number[]
}

interface AtLatency {
  readonly byContestant: ReadonlyMap<Contestant, Figures>
  /** Of one call after the other, with the network and the timers of the sink. */
  readonly loneMs: readonly number[]
}

/** What one process delivers when it does nothing else. */
export async function measureDelivery(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const atOnce = await measureAt(0, AT_ONCE, sink, schedule)
  const afterLatency = await measureAt(LATENCY_MS, AFTER_LATENCY, sink, schedule)
  await sink.stop()
  return {
    title: 'Delivery limit',
    tables: [tableOf(0, atOnce), tableOf(LATENCY_MS, afterLatency)],
    verdicts: [verdictAtOnce(atOnce), verdictAfterLatency(afterLatency)],
  }
}

async function measureAt(
  latencyMs: number,
  contestants: readonly Contestant[],
  sink: Sink,
  schedule: Schedule,
): Promise<AtLatency> {
  const byContestant = new Map<Contestant, Figures>()
  const processes = new Map<Contestant, Child<SenderAnswers>>()
  for (const contestant of contestants) {
    schedule.progress(`delivery at ${latencyMs} ms, warming up: ${contestant.label}`)
    byContestant.set(contestant, { perSecond: [], cpuUs: [] })
    processes.set(contestant, await startSender(contestant, latencyMs, sink))
  }
  const lone = await startSender(LONE, latencyMs, sink)
  const loneMs: number[] = []
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const [contestant, process] of processes) {
      const { label, connections, impressions } = contestant
      schedule.progress(`delivery at ${latencyMs} ms, round ${round}: ${label}, ${connections}`)
      const amount = schedule.amount(impressions)
      // While the others had their turns its connections were closed.
      await process.ask('send', Math.ceil(amount / 10))
      const { ms, cpuUs } = await process.ask('send', amount)
      byContestant.get(contestant)?.perSecond.push((1_000 * amount) / ms)
      byContestant.get(contestant)?.cpuUs.push(cpuUs / amount)
    }
    await lone.ask('send', 1)
    const { ms } = await lone.ask('send', LONE_CALLS)
    loneMs.push(ms / LONE_CALLS)
  }
  for (const process of [...processes.values(), lone]) await process.stop()
  return { byContestant, loneMs }
}

/** Warmed up, at no latency; which also teaches Closient's delivery what the sink allows. */
async function startSender(
  { name, connections, warmUp }: Contestant,
  latencyMs: number,
  sink: Sink,
): Promise<Child<SenderAnswers>> {
  const port = await sink.ask(
    'open',
    isClosient(name)
      ? { wire: 'closient', latencyMs: 0, callsPerMinute: AMPLE_TIER }
      : { wire: 'ens', latencyMs: 0 },
  )
  const args = [name, `http://127.0.0.1:${port}`, String(connections)]
  const sender = await Child.start<SenderAnswers>(new URL('sender.js', import.meta.url), { args })
  await sender.ask('send', warmUp)
  await sink.ask('setLatency', { port, latencyMs })
  return sender
}

function isClosient(name: SenderName): boolean {
  return name.startsWith('closient')
}

function perSecond(figures: AtLatency, sender: SenderName, senderConnections: number) {
  const found = [...figures.byContestant].find(
    ([{ name, connections }]) => name === sender && connections === senderConnections,
  )
  return found?.[1].perSecond ?? []
}

/** Of what so many connections carry if each call takes as long as one alone. */
function sharesOfLimit(figures: AtLatency, sender: SenderName, connections: number): number[] {
  const limits = figures.loneMs.map((ms) => (connections * 1_000) / ms)
  return ratios(perSecond(figures, sender, connections), limits)
}

function tableOf(latencyMs: number, figures: AtLatency): Table {
  return {
    about:
      `A sink that answers after ${latencyMs} ms: impressions delivered per second and CPU time per impression, ` +
      `from when all were tracked to the last answer. A call alone takes ${spread(figures.loneMs)} ms` +
      (latencyMs > 0 ? ': so long is the latency by which connections are divided.' : '.'),
    head: [
      'sender',
      'connections',
      'impressions/s',
      '× connections ÷ latency',
      '× `dispatch`',
      'CPU µs each',
    ],
    rows: [...figures.byContestant].map(([{ name, label, connections }, its]) => [
      label,
      String(connections),
      spread(its.perSecond),
      isClosient(name) || latencyMs === 0
        ? ''
        : number(median(sharesOfLimit(figures, name, connections))),
      isClosient(name)
        ? ''
        : number(median(ratios(its.perSecond, perSecond(figures, 'dispatch', connections)))),
      spread(its.cpuUs),
    ]),
  }
}

function verdictAtOnce(figures: AtLatency): Verdict {
  const ratio = median(ratios(perSecond(figures, 'ens', 128), perSecond(figures, 'dispatch', 128)))
  return {
    what: 'ENS delivery at 0 ms',
    target: 'at least 0.85 × the plainest `dispatch` loop',
    measured: `${number(ratio)} ×`,
    isReached: ratio >= 0.85,
  }
}

function verdictAfterLatency(figures: AtLatency): Verdict {
  const connections = [FEW_CONNECTIONS, MANY_CONNECTIONS]
  const shares = (name: SenderName) =>
    connections.map((count) => number(median(sharesOfLimit(figures, name, count)))).join(', ')
  return {
    what: `ENS delivery at ${LATENCY_MS} ms, ${FEW_CONNECTIONS} connections`,
    target: 'at least 0.95 × connections ÷ latency',
    measured: `${shares('ens')} × with ${connections.join(', ')} connections; the plain loop ${shares('dispatch')} ×`,
    isReached: median(sharesOfLimit(figures, 'ens', FEW_CONNECTIONS)) >= 0.95,
  }
}
