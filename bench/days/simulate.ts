import type { Impression } from '../../lib/impression.js'
import { closient } from '../../lib/networks/closient.js'
import type { RateWindowKind } from '../../lib/sandbox/rate-windows.js'
import { VirtualClock } from '../../test/delivery/virtual-clock.js'
import { createSeededRandom } from '../seeded-random.js'
import type { HeaderForm, RestrictiveWindow } from './rate-limit-headers.js'
import { SimulatedFleet } from './simulated-fleet.js'
import { SimulatedNetwork } from './simulated-network.js'
import { scheduleTraffic } from './traffic.js'
import { WaitTimes } from './wait-times.js'

export interface TrafficScenario {
  /** Page views per second, on average. */
  readonly viewsPerSecond: number
  /** Distinct search queries, all equally frequent. Each page view has one. */
  readonly queries?: number
  /** Whether the rate varies over the day: from zero to 2.7 times its average and back. */
  readonly hasPeak?: boolean
  readonly windowKind?: RateWindowKind
  readonly headerForm?: HeaderForm
  readonly reportedWindow?: RestrictiveWindow
  /** Calls a day that another program makes with the same key. */
  readonly othersPerDay?: number
  /** Processes that share the traffic. Each has a memory outbox of its own. */
  readonly processes?: number
  /** The option `delivery.processes`. */
  readonly knownProcesses?: number
  /** Each process is restarted after so many minutes, one after the other; 0: never. */
  readonly restartMinutes?: number
  readonly hours?: number
  readonly maxAgeMs?: number
  readonly maxPending?: number
  /** Impressions per call. A tenth of it overloads a network with a tenth of the traffic. */
  readonly maxBatch?: number
}

export interface SimulationResult {
  readonly scenario: Required<TrafficScenario>
  readonly tracked: number
  readonly delivered: number
  /** Dropped, rejected or uncertain. */
  readonly lost: number
  readonly calls: number
  /** Calls that were refused with 429 because of our own calls. */
  readonly refused: number
  /** Calls that were refused with 429 because another program had called meanwhile. */
  readonly refusedAfterOthers: number
  readonly exceededWindows: number
  readonly medianWaitMs: number
  readonly longestWaitMs: number
  /** Impressions delivered in each quarter of the simulated time. */
  readonly quarters: readonly number[]
}

const HOUR_MS = 3_600_000
/** Not midnight, so that the day does not coincide with windows that are reset at midnight. */
const START_MS = Date.UTC(2026, 0, 1, 5)
const SEED = 1

const DEFAULTS: Required<TrafficScenario> = {
  viewsPerSecond: 1,
  queries: 1,
  hasPeak: false,
  windowKind: 'sliding',
  headerForm: 'fields',
  reportedWindow: 'fewest calls left',
  othersPerDay: 0,
  processes: 1,
  knownProcesses: 1,
  restartMinutes: 0,
  hours: 24,
  maxAgeMs: HOUR_MS,
  maxPending: 100_000,
  maxBatch: 1_000,
}

/** Simulates traffic in virtual time with the real delivery, outbox and network translation. */
export function simulate(overrides: TrafficScenario): SimulationResult {
  const scenario = { ...DEFAULTS, ...overrides }
  const { viewsPerSecond, queries, hasPeak, maxAgeMs, maxBatch } = scenario
  const durationMs = scenario.hours * HOUR_MS
  const random = createSeededRandom(SEED)
  const clock = new VirtualClock(START_MS)
  const network = closient({ apiKey: 'csb_simulated_key', maxBatch })
  const { windows } = network
  const server = new SimulatedNetwork({ ...scenario, windows, clock, random })
  const measured = new DeliveryMeasurement(clock, durationMs)
  const { onDelivered } = measured
  const fleet = new SimulatedFleet(
    { ...scenario, network, server, clock, random, onDelivered },
    durationMs,
  )

  const pages = createPages(network, queries)
  const onPageView = () => fleet.viewPage(pages[Math.floor(random() * pages.length)] ?? [])
  scheduleTraffic({ viewsPerSecond, hasPeak, durationMs, clock, random, onPageView })
  clock.advance(durationMs)
  // Long enough for everything that still waits to be sent or to expire.
  clock.advance(2 * maxAgeMs)

  const { tracked, delivered } = fleet.finish()
  const { calls, refused, refusedAfterOthers, exceededWindows } = server
  return {
    scenario,
    tracked,
    delivered,
    lost: tracked - delivered,
    calls,
    refused,
    refusedAfterOthers,
    exceededWindows,
    medianWaitMs: measured.waitTimes.medianMs,
    longestWaitMs: measured.waitTimes.longestMs,
    quarters: measured.quarters,
  }
}

class DeliveryMeasurement {
  readonly waitTimes = new WaitTimes()
  readonly quarters = [0, 0, 0, 0]
  readonly #clock: VirtualClock
  readonly #durationMs: number

  constructor(clock: VirtualClock, durationMs: number) {
    this.#clock = clock
    this.#durationMs = durationMs
  }

  readonly onDelivered = (latencyMs: number): void => {
    this.waitTimes.add(latencyMs)
    // What is delivered after the end counts for the last quarter.
    const day = (this.#clock.now() - START_MS) / this.#durationMs
    const quarter = Math.min(3, Math.floor(day * 4))
    this.quarters[quarter] = (this.quarters[quarter] ?? 0) + 1
  }
}

const CAMPAIGNS = ['mhvXdrZT4jP5T8vBxuvm75', 'ahvXdrZT4jP5T8vBxuvm76', 'bhvXdrZT4jP5T8vBxuvm77']

/** Creates the three impressions of a page view for each search query, so that they are parsed once. */
function createPages(network: ReturnType<typeof closient>, queries: number): Impression[][] {
  const viewer = { country: undefined, device: undefined, searchQuery: undefined }
  return Array.from({ length: queries }, (_, query) =>
    CAMPAIGNS.map((campaignId): Impression => {
      const searchQuery = queries === 1 ? undefined : `query ${query}`
      const { batchKey = '', item } = network.parse({ campaignId, searchQuery }, viewer)
      return {
        network: network.name,
        requestId: 'simulated',
        campaignId,
        batchKey,
        item,
        trackedAtMs: 0,
        attempts: 0,
        sequence: 0,
      }
    }),
  )
}
