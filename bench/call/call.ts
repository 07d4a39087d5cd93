import { Child } from '../child.js'
import { AMPLE_TIER, CONTESTANTS, PEER_NAMES } from '../contestants/contestants.js'
import { number, type Report, spread, type Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { type Sink, startSink } from '../sink/start-sink.js'
import { median, ratios } from '../statistics.js'
import { CASES, type CaseName, type SinkUrls } from './call-cases.js'
import type { CallerAnswers } from './caller.js'

const PAGES = 500
const SAMPLES = 3
const WARM_UP_ROUNDS = 4
/** For all rounds. */
const LIMIT_S = 30

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
  const timer = await Child.start<CallerAnswers>(module, { args })
  const allocator = await Child.start<CallerAnswers>(module, {
    args,
    // A young generation that holds all that a sample allocates.
    nodeArgs: ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'],
  })
  const figures = new Map<CaseName, Figures>(CASES.map((name) => [name, { ns: [], bytes: [] }]))
  const pages = schedule.amount(PAGES)
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    for (const name of CASES) {
      await timer.ask('time', { name, pages, samples: SAMPLES })
      await allocator.ask('allocate', { name, pages })
    }
  }
  for (const round of schedule.rounds(LIMIT_S)) {
    for (const [name, { ns, bytes }] of figures) {
      schedule.progress(`calls, round ${round}: ${LABELS[name]}`)
      ns.push(await timer.ask('time', { name, pages, samples: SAMPLES }))
      const allocated = await allocator.ask('allocate', { name, pages })
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
          'nothing, what the middleware does for it. Bytes are what the heap has grown by with no ' +
          'garbage collected meanwhile.',
        head: ['call', 'ns', 'bytes allocated', `× ${CONTESTANTS.amplitude.label}`],
        rows,
      },
    ],
    verdicts: verdictsOf(of),
  }
}

function verdictsOf(of: (name: CaseName) => Figures): Verdict[] {
  const lightest = median(of('amplitude').ns)
  const lighterPeers = PEER_NAMES.filter((name) => median(of(name).ns) < lightest)
  const nothing = of('nothing')
  const duplicate = median(ratios(of('duplicate').ns, of('ens').ns))
  const accepted = (['ens', 'closient'] as const).map((name): Verdict => {
    const ratio = median(ratios(of(name).ns, of('amplitude').ns))
    const bytes = median(of(name).bytes)
    return {
      what: `one \`trackImpression\`: ${LABELS[name]}`,
      target: 'at most 0.4 × the lightest peer, under 3,000 bytes',
      measured: `${number(ratio)} × ${CONTESTANTS.amplitude.label}, ${number(bytes, 4)} bytes`,
      isReached: ratio <= 0.4 && bytes < 3_000 && lighterPeers.length === 0,
    }
  })
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
      measured: `${number(duplicate)} × ENS`,
      isReached: duplicate < 0.1,
    },
  ]
}
