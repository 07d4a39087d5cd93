import type { SinkFault } from '../sink/sink-port.js'

/** What happens to the network or to the site. Seconds count from the start of the load. */
export interface FaultScenario {
  readonly label: string
  readonly fault?: SinkFault
  /** When the fault begins. */
  readonly fromS?: number
  /** When the fault ends. `undefined`: never. */
  readonly untilS?: number
  readonly signal?: 'SIGTERM' | 'SIGKILL'
  readonly signalS?: number
  readonly loadS: number
  readonly pagesPerSecond: number
  /** How long the site may take to shut down. */
  readonly closeMs: number
}

/** As many as the machine can serve when all sites run beside the sink. */
const PAGES_PER_SECOND = 10
/** For scenarios that run alone. */
const MANY_PAGES_PER_SECOND = 60

const defaults = {
  loadS: 6,
  pagesPerSecond: PAGES_PER_SECOND,
  // After a long outage, a library can wait this long before its next probe.
  closeMs: 30_000,
}

export const SCENARIOS = {
  error: {
    ...defaults,
    label: '500 for 10 s',
    fault: { kind: 'status', status: 500 },
    fromS: 1,
    untilS: 11,
    loadS: 12,
  },
  limited: {
    ...defaults,
    label: '429 with `Retry-After: 2` for 3 s',
    fault: { kind: 'status', status: 429, retryAfterS: 2 },
    fromS: 1,
    untilS: 4,
  },
  reset: {
    ...defaults,
    label: 'reset after the request was read, one call in 20',
    fault: { kind: 'reset', every: 20 },
    fromS: 0,
  },
  refused: {
    ...defaults,
    label: 'connections refused for 15 s',
    fault: { kind: 'refuse' },
    fromS: 1,
    untilS: 16,
    loadS: 17,
  },
  hang: {
    ...defaults,
    label: 'calls read but never answered for 3 s',
    fault: { kind: 'hang' },
    fromS: 1,
    untilS: 4,
  },
  closeWhileHanging: {
    label: '`close` with a timeout of 2 s while the network hangs',
    fault: { kind: 'hang' },
    fromS: 1,
    loadS: 2,
    pagesPerSecond: PAGES_PER_SECOND,
    closeMs: 2_000,
  },
  terminated: {
    label: 'SIGTERM under load',
    signal: 'SIGTERM',
    signalS: 2,
    loadS: 3,
    pagesPerSecond: MANY_PAGES_PER_SECOND,
    closeMs: 10_000,
  },
  killed: {
    label: 'SIGKILL under load',
    signal: 'SIGKILL',
    signalS: 2,
    loadS: 3,
    pagesPerSecond: MANY_PAGES_PER_SECOND,
    closeMs: 0,
  },
} satisfies Record<string, FaultScenario>

export type ScenarioName = keyof typeof SCENARIOS

/**
 * Scenarios of one group run at the same time. A scenario that ends the process runs alone, because
 * its shutdown is timed from outside.
 */
export const SCENARIO_GROUPS = [
  ['error', 'limited', 'reset', 'refused', 'hang', 'closeWhileHanging'],
  ['terminated'],
  ['killed'],
] as const satisfies readonly (readonly ScenarioName[])[]
