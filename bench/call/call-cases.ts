import { closient, createTracker, ens, type ImpressionInput, type Tracker } from 'ad-impressions'
import { getContestant, type PeerName } from '../contestants/contestants.js'
import { createClosientInput, createEnsInput } from '../contestants/impression-inputs.js'
import { createExchange, type Exchange, finishResponse } from './exchange.js'

/** A number of calls, prepared so that only the calls are measured. */
export interface PreparedCalls {
  readonly count: number
  run(): void
  /** Resolves when the work that the calls caused is done. */
  settle(): Promise<unknown>
}

/** @param pages with three impressions each */
export type PrepareCalls = (pages: number) => PreparedCalls

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

/** Where the calls of each protocol go. */
export type SinkUrls = Readonly<Record<'ens' | 'closient' | PeerName, string>>

const IMPRESSIONS_PER_PAGE = 3
const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

export async function createCallCases(
  urls: SinkUrls,
): Promise<Readonly<Record<CaseName, PrepareCalls>>> {
  const apiKey = 'bench-key'
  const ignore = () => {}
  // As pino at its default level: no debug message is made.
  const isLevelEnabled = (level: string) => level !== 'debug'
  const logger = { debug: ignore, warn: ignore, error: ignore, isLevelEnabled }
  const tracker = createTracker({
    networks: [ens({ apiKey, baseUrl: urls.ens }), closient({ apiKey, baseUrl: urls.closient })],
    logger,
  })
  const ensInputs = createInputs(createEnsInput)
  const closientInputs = createInputs(createClosientInput)
  const invalidInputs = createInputs((campaign) => ({ campaignId: campaign, placement: '' }))
  return {
    known: prepareKnownObjects,
    nothing: (pages) => preparePageLoads(tracker, pages),
    ens: (pages) => prepareTracking(tracker, createExchanges(pages), ensInputs),
    closient: (pages) => prepareTracking(tracker, createExchanges(pages), closientInputs),
    duplicate(pages) {
      const exchanges = createExchanges(pages)
      prepareTracking(tracker, exchanges, ensInputs).run()
      return prepareTracking(tracker, exchanges, ensInputs)
    },
    suppressed: (pages) => prepareTracking(tracker, createExchanges(pages, BOT), ensInputs),
    invalid: (pages) => prepareTracking(tracker, createExchanges(pages), invalidInputs),
    segment: await createPeerCase('segment', urls),
    posthog: await createPeerCase('posthog', urls),
    amplitude: await createPeerCase('amplitude', urls),
    snowplow: await createPeerCase('snowplow', urls),
  }
}

function createExchanges(count: number, userAgent?: string): Exchange[] {
  return Array.from({ length: count }, () => createExchange(userAgent))
}

function createInputs(
  createInput: (campaign: number) => ImpressionInput,
): readonly ImpressionInput[] {
  return Array.from({ length: IMPRESSIONS_PER_PAGE }, (_, index) => createInput(index + 1))
}

/** Its size is known: five words, two of which are these fields. */
class KnownObject {
  first: number
  second: number
  constructor(value: number) {
    this.first = value
    this.second = value
  }
}

/** Allocates objects of a known size, to verify that allocated bytes are measured correctly. */
function prepareKnownObjects(count: number): PreparedCalls {
  const objects: object[] = new Array(count).fill(undefined)
  return {
    count,
    run() {
      for (let index = 0; index < count; index += 1) objects[index] = new KnownObject(index)
    },
    settle: async () => objects.length,
  }
}

/** What the middleware does for each request, whether or not it tracks anything. */
function preparePageLoads(tracker: Tracker, pages: number): PreparedCalls {
  const exchanges = createExchanges(pages)
  return {
    count: pages,
    run() {
      for (const { req, res } of exchanges) tracker.pageLoad(req, res)
    },
    settle: async () => {},
  }
}

function prepareTracking(
  tracker: Tracker,
  exchanges: readonly Exchange[],
  inputs: readonly ImpressionInput[],
): PreparedCalls {
  const helpers = exchanges.map(({ req, res }) => tracker.pageLoad(req, res))
  return {
    count: exchanges.length * inputs.length,
    run() {
      for (const trackImpression of helpers) for (const input of inputs) trackImpression(input)
    },
    settle() {
      for (const exchange of exchanges) finishResponse(exchange)
      return tracker.flush()
    },
  }
}

async function createPeerCase(name: PeerName, urls: SinkUrls): Promise<PrepareCalls> {
  const start = await getContestant(name).load()
  const { track, createInput, flush } = start(urls[name])
  return (pages) => {
    const inputs = Array.from({ length: IMPRESSIONS_PER_PAGE }, (_, index) => {
      return createInput(index + 1) as never
    })
    return {
      count: pages * inputs.length,
      run() {
        for (let page = 0; page < pages; page += 1) for (const input of inputs) track?.(input)
      },
      settle: async () => flush?.(),
    }
  }
}
