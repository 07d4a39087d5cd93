import { Child } from '../child.js'
import { AMPLE_TIER, CONTESTANTS, PEER_NAMES } from '../contestants/contestants.js'
import { number, type Report, spread, type Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { median, ratios } from '../statistics.js'
import { CASES, type CaseName, type SinkUrls } from './call-cases.js'
import type { CallerAnswers } from './caller.js'

/**
 * Without a pause: so many that each pays for the garbage that it makes. Of a few hundred calls
 * most would leave theirs to the next.
 */
const PAGES = 2_000
/** While bytes are counted nothing may be collected. */
const PAGES_ALLOCATED = 500
const WARM_UP_ROUNDS = 6
const WARM_UP_PAGES = 300
const ROUNDS = 5
/** For all rounds. */
const LIMIT_S = 50

const LABELS: Readonly<Record<CaseName, string>> = {
  known: 'check: an object of two fields, 40 bytes',
  nothing: 'a request that tracks nothing',
  ens: 'ENS, accepted',
  closient: 'Closient, accepted',
  duplicate: 'duplicate',
  suppressed: 'suppressed: a robot',
  invalid: 'invalid',
  segment: CONTESTANTS.segment.label,
  posthog: CONTESTANTS.posthog.label,
  amplitude: CONTESTANTS.amplitude.label,
  snowplow: CONTESTANTS.snowplow.label,
}

interface Figures {
  readonly ns: number[]
  readonly bytes: number[]
}

/** What the synchronous part of one call costs. */
export async function measureCalls(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const urls = await openSinks(sink)
  const module = new URL('caller.js', import.meta.url)
  const args = [JSON.stringify(urls)]
  const timer = await Child.start<CallerAnswers>(module, { args, nodeArgs: ['--expose-gc'] })
  const allocator = await Child.start<CallerAnswers>(module, {
    args,
    // A young generation that holds all that a sample allocates.
    nodeArgs: ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'],
  })
  const figures = new Map<CaseName, Figures>(CASES.map((name) => [name, { ns: [], bytes: [] }]))
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    for (const name of CASES) {
      await timer.ask('time', { name, pages: WARM_UP_PAGES })
      await allocator.ask('allocate', { name, pages: WARM_UP_PAGES })
    }
  }
  const pages = schedule.amount(PAGES)
  const pagesAllocated = schedule.amount(PAGES_ALLOCATED)
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    for (const [name, { ns, bytes }] of figures) {
      schedule.progress(`calls, round ${round}: ${LABELS[name]}`)
      ns.push(await timer.ask('time', { name, pages }))
      const allocated = await allocator.ask('allocate', { name, pages: pagesAllocated })
      if (allocated !== undefined) bytes.push(allocated)
    }
  }
  await Promise.all([timer, allocator, sink].map((child) => child.stop()))
  return report(figures)
}

async function openSinks(sink: Sink): Promise<SinkUrls> {
  const open = async (wire: keyof SinkUrls) => {
    const tier = wire === 'closient' && { callsPerMinute: AMPLE_TIER }
    return `http://127.0.0.1:${await sink.ask('open', { wire, latencyMs: 0, ...tier })}`
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

function report(figures: ReadonlyMap<CaseName, Figures>): Report {
  const of = (name: CaseName): Figures => figures.get(name) ?? { ns: [], bytes: [] }
  const amplitude = of('amplitude').ns
  const rows = CASES.map((name) => [
    LABELS[name],
    spread(of(name).ns),
    spread(of(name).bytes),
    number(median(ratios(of(name).ns, amplitude)), 2),
  ])
  return {
    title: 'Call cost',
    tables: [
      {
        about:
          'The synchronous part of one call, on pages of three impressions; of a request that tracks ' +
          `nothing, what the middleware does for it. ${PAGES.toLocaleString('en-US')} pages without a pause, so that each pays ` +
          'for the garbage that it makes. Bytes are what the heap has grown by with no garbage collected ' +
          'meanwhile.',
        head: ['call', 'ns', 'bytes allocated', `× ${CONTESTANTS.amplitude.label}`],
        rows,
      },
    ],
    verdicts: verdictsOf(of),
  }
}

function verdictsOf(of: (name: CaseName) => Figures): Verdict[] {
  const over = (name: CaseName, other: CaseName) => median(ratios(of(name).ns, of(other).ns))
  const nothing = of('nothing')
  const accepted = (['ens', 'closient'] as const).map((name): Verdict => {
    const lightest = PEER_NAMES.reduce((one, other) =>
      over(name, other) > over(name, one) ? other : one,
    )
    const ratio = over(name, lightest)
    const bytes = median(of(name).bytes)
    return {
      what: `one \`trackImpression\`: ${LABELS[name]}`,
      target: 'at most 0.4 × the lightest peer, under 3,000 bytes',
      measured: `${number(ratio)} × ${CONTESTANTS[lightest].label}, ${number(bytes, 4)} bytes`,
      isReached: ratio <= 0.4 && bytes < 3_000,
    }
  })
  const duplicate = over('duplicate', 'ens')
  return [
    {
      what: 'a request that tracks nothing',
      target: 'under 1 µs and 300 bytes',
      measured: `${number(median(nothing.ns))} ns, ${number(median(nothing.bytes))} bytes`,
      isReached: median(nothing.ns) < 1_000 && median(nothing.bytes) < 300,
    },
    ...accepted,
    {
      what: 'a duplicate',
      target: 'under a tenth of one accepted',
      measured: `${number(duplicate)} × ENS, ${number(over('duplicate', 'amplitude'))} × ${CONTESTANTS.amplitude.label}`,
      isReached: duplicate < 0.1,
    },
  ]
}
