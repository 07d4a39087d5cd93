import { Child } from '../child.js'
import { AMPLE_TIER } from '../contestants/contestants.js'
import { number, type Report, spread, type Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { startSink } from '../sink/start-sink.js'
import { median } from '../statistics.js'
import type { HourAnswers } from './hour.js'
import type { KeeperAnswers, Kind } from './keeper.js'

const COUNT = 100_000
const KINDS = ['ens', 'closient'] as const
const LABELS: Readonly<Record<Kind, string>> = { ens: 'ENS', closient: 'Closient' }

/** So many fill the memory of page loads within the first quarter of an hour. */
const PAGES_PER_SECOND = 120

const ROUNDS = 5
/** For all rounds. */
const LIMIT_S = 60

interface Figures {
  readonly remembered: number[]
  readonly forgotten: number[]
  readonly pending: number[]
}

/** What is remembered, and whether it stays bounded. */
export async function measureMemory(schedule: Schedule): Promise<Report> {
  const count = schedule.amount(COUNT)
  const figures = new Map<Kind, Figures>(
    KINDS.map((kind) => [kind, { remembered: [], forgotten: [], pending: [] }]),
  )
  // No time is taken here, so that all may be measured at once.
  const hour = passHour(schedule.amount(PAGES_PER_SECOND))
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    schedule.progress(`memory, round ${round}`)
    await Promise.all([...figures].map(([kind, its]) => measureRound(kind, its, count)))
  }
  schedule.progress('memory: an hour')
  return report(figures, await hour)
}

/** A process of its own for each figure: nothing of an earlier one is left in it. */
async function measureRound(kind: Kind, figures: Figures, count: number): Promise<void> {
  const { remembered, forgotten, pending } = figures
  remembered.push(await inKeeper((keeper) => keeper.ask('remembered', { kind, pages: count })))
  forgotten.push(await inKeeper((keeper) => keeper.ask('forgotten', { kind, pages: count })))
  pending.push(await inKeeper((keeper) => keeper.ask('pending', { kind, impressions: count })))
}

async function inKeeper(
  measure: (keeper: Child<KeeperAnswers>) => Promise<number>,
): Promise<number> {
  const keeper = await Child.start<KeeperAnswers>(new URL('keeper.js', import.meta.url), {
    nodeArgs: ['--expose-gc'],
  })
  const bytes = await measure(keeper)
  await keeper.stop()
  return bytes
}

/** Megabytes, every five minutes. */
async function passHour(pagesPerSecond: number): Promise<number[]> {
  const sink = await startSink()
  const port = await sink.ask('open', {
    wire: 'closient',
    latencyMs: 0,
    callsPerMinute: AMPLE_TIER,
  })
  const hour = await Child.start<HourAnswers>(new URL('hour.js', import.meta.url), {
    args: [`http://127.0.0.1:${port}`],
    nodeArgs: ['--expose-gc'],
  })
  const samples = await hour.ask('pass', pagesPerSecond)
  await Promise.all([hour, sink].map((child) => child.stop()))
  return samples.map((bytes) => bytes / 1e6)
}

function report(figures: ReadonlyMap<Kind, Figures>, hour: readonly number[]): Report {
  return {
    title: 'Memory',
    tables: [
      {
        about:
          'Bytes that stay on the heap, at 100,000 of each: of a page load with three campaigns beyond its ' +
          'id, where the id can recur and where it cannot, and of an impression that waits to be sent.',
        head: ['network', 'page load remembered', 'page load forgotten', 'impression pending'],
        rows: [...figures].map(([kind, { remembered, forgotten, pending }]) => [
          LABELS[kind],
          spread(remembered),
          spread(forgotten, 2),
          spread(pending),
        ]),
      },
      {
        about:
          `Live megabytes every five minutes of an hour of virtual time, with ${PAGES_PER_SECOND} page views a ` +
          'second of three Closient impressions, all with ids that can recur.',
        head: hour.map((_, index) => `${5 * (index + 1)} min`),
        rows: [hour.map((megabytes) => number(megabytes))],
      },
    ],
    verdicts: verdictsOf(figures, hour),
  }
}

/** From when page loads are forgotten for others: a quarter of an hour. */
const FULL_AT_SAMPLE = 3

function verdictsOf(figures: ReadonlyMap<Kind, Figures>, hour: readonly number[]): Verdict[] {
  const medians = (which: keyof Figures) => [...figures.values()].map((its) => median(its[which]))
  const remembered = medians('remembered')
  const pending = medians('pending')
  const forgotten = medians('forgotten')
  const full = hour.slice(FULL_AT_SAMPLE)
  const growth = (full.at(-1) ?? Number.NaN) / (full[0] ?? Number.NaN) - 1
  const listed = (values: readonly number[]) => values.map((value) => number(value)).join(', ')
  return [
    {
      what: 'a remembered page load with three campaigns (ENS, Closient)',
      target: 'at most 250 bytes beyond its id',
      measured: `${listed(remembered)} bytes`,
      isReached: remembered.every((bytes) => bytes <= 250),
    },
    {
      what: 'a page load whose id cannot recur (ENS, Closient)',
      target: 'none remembered',
      measured: `${listed(forgotten)} bytes`,
      isReached: forgotten.every((bytes) => bytes < 10),
    },
    {
      what: 'a pending impression (ENS, Closient)',
      target: 'at most 500 bytes',
      measured: `${listed(pending)} bytes`,
      isReached: pending.every((bytes) => bytes <= 500),
    },
    {
      what: 'an hour of virtual time, once 100,000 page loads are remembered',
      target: 'flat',
      measured: `${number(100 * growth, 2)} % in 40 minutes`,
      isReached: growth < 0.02,
    },
  ]
}
