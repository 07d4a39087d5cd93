import { Statistics } from '../../lib/counting/statistics.js'
import { Delivery } from '../../lib/delivery/delivery.js'
import { MemoryOutbox } from '../../lib/delivery/outbox/memory-outbox.js'
import type { Impression } from '../../lib/impression.js'
import type { Log } from '../../lib/logger.js'
import { closient } from '../../lib/networks/closient.js'
import type { RateWindowKind } from '../../lib/sandbox/rate-windows.js'
import { VirtualClock } from '../../test/delivery/virtual-clock.js'
import { seededRandom } from './seeded-random.js'
import { type Reading, type ToldForm, VirtualNetwork } from './virtual-network.js'
import { Waits } from './waits.js'

export interface Scenario {
  /** Page views a second, on average. */
  readonly views: number
  /** Distinct search queries, all as frequent as each other; one page view has one. */
  readonly queries?: number
  /** Whether the traffic swells from nothing to 2.7 times its average and back in a day. */
  readonly hasPeak?: boolean
  readonly kind?: RateWindowKind
  readonly form?: ToldForm
  readonly reading?: Reading
  /** Calls a day that another program makes with the same key. */
  readonly othersPerDay?: number
  readonly hours?: number
  readonly maxAgeMs?: number
  readonly maxPending?: number
  /** Most impressions a call carries: a tenth shows with a tenth of the traffic what is too much. */
  readonly maxBatch?: number
  readonly seed?: number
}

export interface Result {
  readonly scenario: Required<Scenario>
  readonly tracked: number
  readonly delivered: number
  /** Dropped, rejected or uncertain. */
  readonly lost: number
  readonly calls: number
  readonly refused: number
  readonly forestalled: number
  readonly excesses: number
  readonly othersCalls: number
  readonly medianWaitMs: number
  readonly worstWaitMs: number
  readonly longestPauseMs: number
  /** Delivered in the day's first to last quarter. */
  readonly quarters: readonly number[]
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const IMPRESSIONS_PER_VIEW = 3
/** Views that come at the same moment at the busiest sites, which saves timers and changes nothing. */
const MOMENTS_PER_SECOND = 20

const silent: Log = { debug: () => {}, warn: () => {}, error: () => {} }

export const DEFAULTS: Required<Scenario> = {
  views: 1,
  queries: 1,
  hasPeak: false,
  kind: 'sliding',
  form: 'fields',
  reading: 'fewest calls left',
  othersPerDay: 0,
  hours: 24,
  maxAgeMs: HOUR_MS,
  maxPending: 100_000,
  maxBatch: 1_000,
  seed: 1,
}

/** Runs a day in virtual time with the delivery, outbox and translation that ship. */
export function simulate(given: Scenario): Result {
  const scenario = { ...DEFAULTS, ...given }
  const { maxAgeMs, maxPending, hours } = scenario
  const random = seededRandom(scenario.seed)
  // Not at midnight, so that the windows that are reset then are not cut as the day is.
  const clock = new VirtualClock(Date.UTC(2026, 0, 1, 5))
  const network = closient({ apiKey: 'csb_simulated_key', maxBatch: scenario.maxBatch })
  const statistics = new Statistics([network], clock, silent)
  const networkStatistics = statistics.forNetwork(network.name)
  const transport = new VirtualNetwork({ ...scenario, windows: network.windows, clock, random })
  const outbox = new MemoryOutbox({ maxPending, maxBatch: network.maxBatch })
  const delivery = new Delivery({
    network,
    statistics: networkStatistics,
    outbox,
    transport,
    maxPending,
    maxAgeMs,
    clock,
    random,
    log: silent,
  })

  const startMs = clock.now()
  const waits = new Waits()
  const quarters = [0, 0, 0, 0]
  statistics.on('outcome', ({ outcome, latencyMs }) => {
    if (outcome !== 'delivered') return
    waits.add(latencyMs)
    const quarter = Math.min(3, Math.floor(((clock.now() - startMs) / (hours * HOUR_MS)) * 4))
    quarters[quarter] = (quarters[quarter] ?? 0) + 1
  })

  const templates = templatesOf(network, scenario.queries)
  const busiest = scenario.hasPeak ? 2.7 : 1
  const viewsAtOnce = Math.ceil((scenario.views * busiest) / MOMENTS_PER_SECOND)
  const view = () => {
    const queryTemplates = templates[Math.floor(random() * templates.length)] ?? []
    for (const template of queryTemplates) {
      delivery.push({ ...template, trackedAtMs: clock.now() })
    }
  }
  const untilMs = startMs + hours * HOUR_MS
  const next = () => {
    const gapMs = (-Math.log(1 - random()) * 1_000 * viewsAtOnce) / (scenario.views * busiest)
    if (clock.now() + gapMs < untilMs) clock.after(gapMs, arrive)
  }
  const arrive = () => {
    const share = scenario.hasPeak ? swell(clock.now() - startMs) / busiest : 1
    // Thinning a steady stream gives one that swells.
    for (let count = 0; count < viewsAtOnce; count += 1) if (share === 1 || random() < share) view()
    next()
  }
  next()
  clock.advance(hours * HOUR_MS)
  const { longestPauseMs } = transport
  clock.advance(2 * maxAgeMs)

  const { tracked, delivered, pending, dropped, rejected, uncertain } = networkStatistics.snapshot()
  if (tracked !== pending + delivered + dropped + rejected + uncertain) {
    throw new Error('the figures do not balance')
  }
  if (delivered !== transport.impressions) throw new Error('delivered is not what was counted')
  return {
    scenario,
    tracked,
    delivered,
    lost: tracked - delivered,
    calls: transport.calls,
    refused: transport.refused,
    forestalled: transport.forestalled,
    excesses: transport.excesses,
    othersCalls: transport.othersCalls,
    medianWaitMs: waits.medianMs,
    worstWaitMs: waits.worstMs,
    longestPauseMs,
    quarters,
  }
}

/** How many times its average the traffic has at this time of the day. */
function swell(ms: number): number {
  return ((1 - Math.cos((2 * Math.PI * ms) / DAY_MS)) / 2) ** 2 / 0.375
}

/** The three impressions of a page view, parsed once for each search query. */
function templatesOf(network: ReturnType<typeof closient>, queries: number): Impression[][] {
  const viewer = { country: undefined, device: undefined, searchQuery: undefined }
  const campaigns = ['mhvXdrZT4jP5T8vBxuvm75', 'ahvXdrZT4jP5T8vBxuvm76', 'bhvXdrZT4jP5T8vBxuvm77']
  return Array.from({ length: queries }, (_, query) =>
    campaigns.slice(0, IMPRESSIONS_PER_VIEW).map((campaignId): Impression => {
      const searchQuery = queries === 1 ? undefined : `query ${query}`
      const { batchKey = '', item } = network.parse({ campaignId, searchQuery }, viewer)
      const requestId = 'simulated'
      const fixed = { network: network.name, requestId, campaignId, batchKey, item }
      return { ...fixed, trackedAtMs: 0, attempts: 0, sequence: 0 }
    }),
  )
}
