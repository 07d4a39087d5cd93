import { closient, createTracker, ens, type ImpressionInput, type Tracker } from 'ad-impressions'
import { closientInputOf, ensInputOf } from '../contestants/ads.js'
import type { Counting } from '../contestants/contestant.js'
import { contestantOf, type PeerName } from '../contestants/contestants.js'
import { type Exchange, exchange, finish } from './exchange.js'

/** A number of calls, made ready so that nothing but them is measured. */
export interface Prepared {
  readonly calls: number
  run(): void
  /** Resolves when what they left behind is done with. */
  after(): Promise<unknown>
}

/** @param pages of three impressions each */
export type CallCase = (pages: number) => Prepared

export const CASES = [
  'known',
  'nothing',
  'ens',
  'closient',
  'duplicate',
  'suppressed',
  'invalid',
  'segment',
  'posthog',
  'amplitude',
  'snowplow',
] as const

export type CaseName = (typeof CASES)[number]

/** Where the calls of each wire go. */
export type SinkUrls = Readonly<Record<'ens' | 'closient' | PeerName, string>>

const IMPRESSIONS_A_PAGE = 3
const ROBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

export async function callCases(urls: SinkUrls): Promise<Readonly<Record<CaseName, CallCase>>> {
  const apiKey = 'csb_bench'
  const quiet = () => {}
  const tracker = createTracker({
    networks: [ens({ apiKey, baseUrl: urls.ens }), closient({ apiKey, baseUrl: urls.closient })],
    logger: { debug: quiet, warn: quiet, error: quiet },
  })
  const ensInputs = inputs(ensInputOf)
  const invalidInputs = inputs((campaign) => ({ campaignId: campaign, placement: '' }))
  return {
    known: knownObjects,
    nothing: (pages) => pageLoads(tracker, pages),
    ens: (pages) => tracking(tracker, exchanges(pages), ensInputs),
    closient: (pages) => tracking(tracker, exchanges(pages), inputs(closientInputOf)),
    duplicate(pages) {
      const displayed = exchanges(pages)
      tracking(tracker, displayed, ensInputs).run()
      return tracking(tracker, displayed, ensInputs)
    },
    suppressed: (pages) => tracking(tracker, exchanges(pages, ROBOT), ensInputs),
    invalid: (pages) => tracking(tracker, exchanges(pages), invalidInputs),
    segment: await peerCase('segment', urls),
    posthog: await peerCase('posthog', urls),
    amplitude: await peerCase('amplitude', urls),
    snowplow: await peerCase('snowplow', urls),
  }
}

function exchanges(count: number, userAgent?: string): Exchange[] {
  return Array.from({ length: count }, () => exchange(userAgent))
}

function inputs(inputOf: (campaign: number) => ImpressionInput): readonly ImpressionInput[] {
  return Array.from({ length: IMPRESSIONS_A_PAGE }, (_, index) => inputOf(index + 1))
}

/** Five words, of which two are its own. */
class Known {
  one: number
  other: number
  constructor(index: number) {
    this.one = index
    this.other = index
  }
}

/** Objects of a size that is known, to check the measure by. */
function knownObjects(pages: number): Prepared {
  const kept: object[] = new Array(pages).fill(undefined)
  return {
    calls: pages,
    run() {
      for (let index = 0; index < pages; index += 1) kept[index] = new Known(index)
    },
    after: async () => kept.length,
  }
}

/** What the middleware does for a request that then tracks nothing. */
function pageLoads(tracker: Tracker, pages: number): Prepared {
  const all = exchanges(pages)
  return {
    calls: pages,
    run() {
      for (const { req, res } of all) tracker.pageLoad(req, res)
    },
    after: async () => {},
  }
}

function tracking(
  tracker: Tracker,
  displayed: readonly Exchange[],
  tracked: readonly ImpressionInput[],
): Prepared {
  const helpers = displayed.map(({ req, res }) => tracker.pageLoad(req, res))
  return {
    calls: displayed.length * tracked.length,
    run() {
      for (const trackImpression of helpers) for (const input of tracked) trackImpression(input)
    },
    after() {
      for (const one of displayed) finish(one)
      return tracker.flush()
    },
  }
}

async function peerCase(name: PeerName, urls: SinkUrls): Promise<CallCase> {
  const start = await contestantOf(name).load()
  const { track, inputOf, flush }: Counting = start(urls[name])
  return (pages) => {
    const tracked = Array.from({ length: IMPRESSIONS_A_PAGE }, (_, i) => inputOf(i + 1) as never)
    return {
      calls: pages * tracked.length,
      run() {
        for (let page = 0; page < pages; page += 1) for (const input of tracked) track?.(input)
      },
      after: async () => flush?.(),
    }
  }
}
