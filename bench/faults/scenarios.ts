import type { Fault } from '../sink/port.js'

/** What befalls the network, or the site. All of it in seconds from the load's beginning. */
export interface Scenario {
  readonly label: string
  readonly fault?: Fault
  /** When the fault begins and ends; without an end it lasts. */
  readonly fromS?: number
  readonly untilS?: number
  readonly signal?: 'SIGTERM' | 'SIGKILL'
  readonly signalS?: number
  readonly loadS: number
  readonly pagesPerSecond: number
  /** How long the site may take to shut down. */
  readonly closeMs: number
}

/** Of all sites together it is as much as the machine can hold beside the sink. */
const PAGES_PER_SECOND = 10
/** Under load alone. */
const MANY_PAGES_PER_SECOND = 60

/** Time to shut down that a network which was away for long needs: the pause between probes. */
const closeMs = 30_000

const usual = { loadS: 6, pagesPerSecond: PAGES_PER_SECOND, closeMs }

export const SCENARIOS = {
  error: {
    ...usual,
    label: '500 for 10 s',
    fault: { kind: 'status', status: 500 },
    fromS: 1,
    untilS: 11,
    loadS: 12,
  },
  limited: {
    ...usual,
    label: '429 with `Retry-After: 2` for 3 s',
    fault: { kind: 'status', status: 429, retryAfterS: 2 },
    fromS: 1,
    untilS: 4,
  },
  reset: {
    ...usual,
    label: 'reset after the request was read, one call in 20',
    fault: { kind: 'reset', every: 20 },
    fromS: 0,
  },
  refused: {
    ...usual,
    label: 'connections refused for 15 s',
    fault: { kind: 'refuse' },
    fromS: 1,
    untilS: 16,
    loadS: 17,
  },
  hang: {
    ...usual,
    label: 'read and never answered for 3 s',
    fault: { kind: 'hang' },
    fromS: 1,
    untilS: 4,
  },
  leaveHanging: {
    label: 'shut down within 2 s while the network hangs',
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
} satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS

/** What runs at once. Where a process ends nothing else runs, for that is timed from outside. */
export const GROUPS = [
  ['error', 'limited', 'reset', 'refused', 'hang', 'leaveHanging'],
  ['terminated'],
  ['killed'],
] as const satisfies readonly (readonly ScenarioName[])[]
