/**
 * The tracker's figures as OpenTelemetry metrics.
 *
 * @module ad-impressions/opentelemetry
 */
import {
  type BatchObservableResult,
  type Meter,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api'
import type { OutcomeListener } from '../counting/outcome-events.js'
import type { Stats } from '../counting/statistics.js'
import { readReasonCode } from '../reason.js'
import type { CircuitState, Health, NetworkHealth } from './health.js'

/** The options of `observe()`. */
export interface ObserveOptions {
  /** Where the metrics go. @default the global meter provider of `@opentelemetry/api` */
  meterProvider?: MeterProvider | undefined
}

/** What `observe` needs of a tracker. The middleware has it as well. */
export interface ObservableTracker {
  /** The figures of each network. */
  stats(): Stats
  /** Whether each network accepts impressions now. */
  health(): Health
  /** Calls `listener` with each outcome. Returns a function that removes it. */
  on(event: 'outcome', listener: OutcomeListener): () => void
}

/** No attribute has a value that a viewer or a page chooses, so the number of series is bounded. */
const NETWORK = 'ad_impressions.network.name'
const OUTCOME = 'ad_impressions.outcome.type'
const REASON = 'ad_impressions.outcome.reason'
const CIRCUIT = 'ad_impressions.circuit.state'
const WINDOW = 'ad_impressions.quota.window'

const CIRCUIT_STATES: readonly CircuitState[] = ['closed', 'open', 'half-open']

/** From a call that is answered at once to the age at which impressions expire, in seconds. */
const DURATION_BOUNDARIES = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1_800, 3_600,
]

/**
 * Reports a tracker's figures as OpenTelemetry metrics; docs/metrics.md lists them. Call it once per
 * tracker, after the meter provider is set up: outcomes from before are not counted. Two trackers
 * need two meter providers.
 *
 * @param tracker what `createTracker()` or `impressions()` returns
 * @returns a function that stops observing; the metrics keep their last values
 */
export function observe(
  tracker: ObservableTracker,
  { meterProvider = metrics.getMeterProvider() }: ObserveOptions = {},
): () => void {
  const meter = meterProvider.getMeter('ad-impressions')
  const removeListener = tracker.on('outcome', createOutcomeListener(meter))
  const removeCallback = observeState(meter, tracker)
  return () => {
    removeListener()
    removeCallback()
  }
}

function createOutcomeListener(meter: Meter): OutcomeListener {
  const outcomes = meter.createCounter('ad_impressions.outcomes', {
    unit: '{impression}',
    description: 'Impressions that have their outcome, by network, outcome and reason.',
  })
  const duration = meter.createHistogram('ad_impressions.outcome.duration', {
    unit: 's',
    description: 'Time from the tracking of an impression to its outcome.',
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  })
  return ({ network, outcome, reason, latencyMs }) => {
    const attributes = { [NETWORK]: network, [OUTCOME]: outcome }
    outcomes.add(1, { ...attributes, [REASON]: readReasonCode(reason) })
    duration.record(latencyMs / 1_000, attributes)
  }
}

type Instruments = ReturnType<typeof createStateInstruments>

/** @returns a function that stops observing */
function observeState(meter: Meter, tracker: ObservableTracker): () => void {
  const instruments = createStateInstruments(meter)
  const callback = (result: BatchObservableResult) => {
    const stats = tracker.stats()
    for (const [network, health] of Object.entries(tracker.health())) {
      const { held = 0, pending = 0 } = stats[network] ?? {}
      result.observe(instruments.held, held, { [NETWORK]: network })
      result.observe(instruments.pending, pending, { [NETWORK]: network })
      observeHealth(result, instruments, network, health)
    }
  }
  const observables = Object.values(instruments)
  meter.addBatchObservableCallback(callback, observables)
  return () => meter.removeBatchObservableCallback(callback, observables)
}

function observeHealth(
  result: BatchObservableResult,
  instruments: Instruments,
  network: string,
  { circuit, oldestPendingMs, quota }: NetworkHealth,
): void {
  const attributes = { [NETWORK]: network }
  result.observe(instruments.oldestPending, oldestPendingMs / 1_000, attributes)
  for (const state of CIRCUIT_STATES) {
    const isCurrent = state === circuit
    result.observe(instruments.circuit, isCurrent ? 1 : 0, { ...attributes, [CIRCUIT]: state })
  }
  for (const { windowMs, limit, remaining } of quota) {
    const ofWindow = { ...attributes, [WINDOW]: windowMs / 1_000 }
    result.observe(instruments.quotaLimit, limit, ofWindow)
    result.observe(instruments.quotaRemaining, remaining, ofWindow)
  }
}

function createStateInstruments(meter: Meter) {
  return {
    held: meter.createObservableUpDownCounter('ad_impressions.held.count', {
      unit: '{impression}',
      description: 'Impressions that wait for their response to finish.',
    }),
    pending: meter.createObservableUpDownCounter('ad_impressions.pending.count', {
      unit: '{impression}',
      description: 'Impressions that wait to be sent, or are in flight.',
    }),
    oldestPending: meter.createObservableGauge('ad_impressions.pending.age', {
      unit: 's',
      description: 'How long the oldest pending impression has waited; 0 if none is pending.',
    }),
    circuit: meter.createObservableUpDownCounter('ad_impressions.circuit.state', {
      unit: '{circuit_breaker}',
      description: "1 for the circuit breaker's current state, 0 for the others.",
    }),
    quotaLimit: meter.createObservableGauge('ad_impressions.quota.limit', {
      unit: '{call}',
      description: 'Calls that the network allows per window.',
    }),
    quotaRemaining: meter.createObservableGauge('ad_impressions.quota.remaining', {
      unit: '{call}',
      description: 'Calls that are left of the window, as far as this process knows.',
    }),
  }
}
