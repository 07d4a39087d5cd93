import type { TrafficScenario } from './simulate.js'

/** The scenarios of one section of the document. */
export interface ScenarioSection {
  readonly title: string
  /** What the section shows, and how long was simulated. */
  readonly text: string
  readonly scenarios: readonly TrafficScenario[]
  /** Whether the allowed calls can carry everything, so that nothing may be lost. */
  readonly canCarryAll: boolean
}

const WINDOW_KINDS = ['fixed', 'sliding', 'midnight'] as const
const HALF_OF_DAILY_CALLS = 5_000
const fewest = { othersPerDay: HALF_OF_DAILY_CALLS, reportedWindow: 'fewest calls left' } as const
const smallest = {
  othersPerDay: HALF_OF_DAILY_CALLS,
  reportedWindow: 'smallest share left',
} as const
/** 100 page views a second and the default limits, scaled down to three hundredths. */
const scaledDown = { viewsPerSecond: 3, maxBatch: 30, maxPending: 3_000 } as const

export const SECTIONS: readonly ScenarioSection[] = [
  {
    title: 'One program, one search query',
    text: 'Whole days.',
    canCarryAll: true,
    scenarios: [
      ...WINDOW_KINDS.map((windowKind): TrafficScenario => ({ viewsPerSecond: 1, windowKind })),
      ...WINDOW_KINDS.map(
        (windowKind): TrafficScenario => ({
          viewsPerSecond: 1,
          windowKind,
          hasPeak: true,
          headerForm: 'draft 08',
        }),
      ),
      { viewsPerSecond: 10, windowKind: 'fixed', headerForm: 'aliases' },
      { viewsPerSecond: 10, hasPeak: true, headerForm: 'draft 07' },
      { viewsPerSecond: 30, hasPeak: true },
      { viewsPerSecond: 38, windowKind: 'midnight' },
    ],
  },
  {
    title: 'Another program uses half of the quota',
    text:
      'Whole days, with 5,000 calls of another program at random times. The headers report the most ' +
      'restrictive window. That can be the one with the fewest calls left, which is the day only once ' +
      'fewer than 300 of its calls are left, or the one with the smallest share left.',
    canCarryAll: true,
    scenarios: [
      ...WINDOW_KINDS.map(
        (windowKind): TrafficScenario => ({ viewsPerSecond: 1, windowKind, ...fewest }),
      ),
      ...WINDOW_KINDS.map(
        (windowKind): TrafficScenario => ({
          viewsPerSecond: 1,
          windowKind,
          ...smallest,
          hasPeak: true,
        }),
      ),
      { viewsPerSecond: 1, windowKind: 'midnight', ...fewest, headerForm: 'draft 08' },
      { viewsPerSecond: 10, windowKind: 'fixed', ...smallest, hasPeak: true },
      { viewsPerSecond: 10, windowKind: 'sliding', ...fewest, headerForm: 'aliases' },
      {
        viewsPerSecond: 10,
        windowKind: 'midnight',
        ...fewest,
        hasPeak: true,
        headerForm: 'draft 07',
      },
    ],
  },
  {
    title: 'Several processes and restarts',
    text:
      'Whole days. The page views are those of all processes together. Each process has its memory ' +
      'outbox and knows nothing of the others but what the headers say. "16, every 15 min": each of 16 ' +
      'processes is restarted every 15 minutes, one after the other. An old process has ten seconds to ' +
      'send what waits, and what it knew of the quota is forgotten. "16 known": with ' +
      '`delivery: { processes: 16 }`. Rows with batches of 100 simulate 10 page views a second on a ' +
      'scale of a tenth.',
    canCarryAll: true,
    scenarios: [
      { viewsPerSecond: 1, processes: 2 },
      { viewsPerSecond: 1, processes: 8 },
      ...WINDOW_KINDS.map(
        (windowKind): TrafficScenario => ({ viewsPerSecond: 1, processes: 16, windowKind }),
      ),
      { viewsPerSecond: 1, processes: 16, ...smallest, othersPerDay: 0 },
      { viewsPerSecond: 1, processes: 16, hasPeak: true, headerForm: 'draft 08' },
      { viewsPerSecond: 1, processes: 16, knownProcesses: 16 },
      { viewsPerSecond: 1, processes: 16, knownProcesses: 16, headerForm: 'none' },
      { viewsPerSecond: 1, processes: 16, queries: 200 },
      { viewsPerSecond: 1, processes: 8, ...fewest },
      { viewsPerSecond: 1, processes: 8, maxBatch: 100, hasPeak: true, windowKind: 'midnight' },
      ...WINDOW_KINDS.map(
        (windowKind): TrafficScenario => ({ viewsPerSecond: 1, restartMinutes: 15, windowKind }),
      ),
      { viewsPerSecond: 1, restartMinutes: 15, queries: 20 },
      { viewsPerSecond: 1, restartMinutes: 15, maxBatch: 100 },
      ...WINDOW_KINDS.map(
        (windowKind): TrafficScenario => ({
          viewsPerSecond: 1,
          processes: 16,
          restartMinutes: 15,
          windowKind,
        }),
      ),
      { viewsPerSecond: 1, processes: 16, restartMinutes: 15, ...smallest, othersPerDay: 0 },
      { viewsPerSecond: 1, processes: 16, restartMinutes: 15, queries: 200 },
      { viewsPerSecond: 1, processes: 8, restartMinutes: 60, maxBatch: 100, hasPeak: true },
    ],
  },
  {
    title: 'Several processes that cannot know of each other',
    text:
      'The headers say nothing, `delivery.processes` is not given, and neither PM2 nor `node:cluster` ' +
      "tells. So each process takes the day's calls for its own, and so does each process after a " +
      'restart.',
    canCarryAll: false,
    scenarios: [
      { viewsPerSecond: 1, processes: 4, headerForm: 'none' },
      { viewsPerSecond: 1, restartMinutes: 15, headerForm: 'none' },
    ],
  },
  {
    title: 'Many search queries',
    text: 'Whole days. Each page view has one of several queries, all equally frequent.',
    canCarryAll: true,
    scenarios: [
      { viewsPerSecond: 1, queries: 20 },
      { viewsPerSecond: 1, queries: 20, windowKind: 'sliding', ...fewest },
      { viewsPerSecond: 1, queries: 100, windowKind: 'midnight', ...fewest },
      { viewsPerSecond: 1, queries: 200, windowKind: 'fixed' },
      { viewsPerSecond: 10, queries: 20, hasPeak: true },
      { viewsPerSecond: 10, queries: 200 },
    ],
  },
  {
    title: 'More search queries than calls can serve',
    text:
      'A call carries one query. While impressions of 2,000 queries wait, each `maxAgeMs` needs 2,000 ' +
      'calls, but 10,000 a day are only 417 an hour. So impressions that have waited for three quarters ' +
      'of `maxAgeMs` share calls, and are sent without their query. In the last row, `maxAgeMs` is eight ' +
      'hours, so that there are calls for most queries.',
    canCarryAll: false,
    scenarios: [
      { viewsPerSecond: 1, queries: 2_000 },
      { viewsPerSecond: 10, queries: 2_000 },
      { viewsPerSecond: 1, queries: 2_000, maxAgeMs: 8 * 3_600_000 },
    ],
  },
  {
    title: 'More impressions than calls can carry',
    text:
      '10,000 calls of 1,000 impressions carry 10 million a day, which is 38 page views a second. All ' +
      'rows are on a scale of three hundredths (batches of 30, 3,000 pending). 100 page views a second, 3 ' +
      'on that scale, for a day; 1,000 a second for one hour, at the full rate, which uses all calls of ' +
      'the day; 100 a second for two days, of which the first is delivered until its calls are used up ' +
      'and the second evenly; for two days with peaks; and for a day with another program, where less ' +
      'than half of the calls are left for our own.',
    canCarryAll: false,
    scenarios: [
      scaledDown,
      { ...scaledDown, viewsPerSecond: 30, hours: 1 },
      { ...scaledDown, hours: 48 },
      { ...scaledDown, hours: 48, hasPeak: true, windowKind: 'midnight' },
      { ...scaledDown, windowKind: 'fixed', ...fewest },
    ],
  },
]
