import type { Contestant, RunningContestant } from './contestant.js'

const DEFAULT_CALLS_PER_MINUTE = 300
/** More than one process ever makes. */
export const AMPLE_CALLS_PER_MINUTE = 1_000_000

/** With a latency of 20 ms, eight connections carry 400 batches a second, and pages would merge. */
const BATCH_PER_PAGE = {
  protocol: 'closient',
  callsPerMinute: AMPLE_CALLS_PER_MINUTE,
  latencyMs: 2,
} as const

/** The page without any tracking: the lower bound. */
const bare = {
  label: 'bare',
  impressionsPerPage: 0,
  protocol: undefined,
  load: async () => (): RunningContestant => ({ createInput: () => ({}) }),
} satisfies Contestant

/** Adding any template local makes EJS slower, so this cost is measured by itself. */
const local = {
  label: 'bare, with one template local',
  impressionsPerPage: 0,
  protocol: undefined,
  load: async () => (): RunningContestant => ({ createInput: () => ({}), track: () => {} }),
} satisfies Contestant

const loadEns = async () => (await import('./ad-impressions.js')).startEns
const loadClosient = async () => (await import('./ad-impressions.js')).startClosient

const adImpressions = {
  none: {
    label: 'ad-impressions, nothing tracked',
    impressionsPerPage: 0,
    protocol: 'ens',
    load: loadEns,
  },
  ens: {
    label: 'ad-impressions, 3 ENS',
    impressionsPerPage: 3,
    protocol: 'ens',
    load: loadEns,
  },
  closientMerged: {
    label: 'ad-impressions, 3 Closient, pages merged',
    impressionsPerPage: 3,
    protocol: 'closient',
    callsPerMinute: DEFAULT_CALLS_PER_MINUTE,
    load: loadClosient,
  },
  closient: {
    label: 'ad-impressions, 3 Closient, one batch per page',
    impressionsPerPage: 3,
    ...BATCH_PER_PAGE,
    load: loadClosient,
  },
  closientFifty: {
    label: 'ad-impressions, 50 Closient, one batch per page',
    impressionsPerPage: 50,
    ...BATCH_PER_PAGE,
    load: loadClosient,
  },
} satisfies Record<string, Contestant>

/** Without a library: one call to ENS per impression. */
const handWritten = {
  fetch: {
    label: '`fetch`, not awaited',
    impressionsPerPage: 3,
    protocol: 'ens',
    load: async () => (await import('./hand-written.js')).startFetch,
  },
  awaitedFetch: {
    label: '`fetch`, awaited',
    impressionsPerPage: 3,
    protocol: 'ens',
    load: async () => (await import('./hand-written.js')).startAwaitedFetch,
  },
  request: {
    label: '`undici.request`, not awaited',
    impressionsPerPage: 3,
    protocol: 'ens',
    load: async () => (await import('./hand-written.js')).startRequest,
  },
  dispatch: {
    label: '`dispatch` of undici, empty handler: the lower bound',
    impressionsPerPage: 3,
    protocol: 'ens',
    load: async () => (await import('./hand-written.js')).startDispatch,
  },
} satisfies Record<string, Contestant>

/** Analytics SDKs that are used for the same purpose, with their default settings. */
const peers = {
  segment: {
    label: '@segment/analytics-node',
    impressionsPerPage: 3,
    protocol: 'segment',
    load: async () => (await import('./segment.js')).start,
  },
  posthog: {
    label: 'posthog-node',
    impressionsPerPage: 3,
    protocol: 'posthog',
    load: async () => (await import('./posthog.js')).start,
  },
  amplitude: {
    label: '@amplitude/analytics-node',
    impressionsPerPage: 3,
    protocol: 'amplitude',
    load: async () => (await import('./amplitude.js')).start,
  },
  snowplow: {
    label: '@snowplow/node-tracker',
    impressionsPerPage: 3,
    protocol: 'snowplow',
    load: async () => (await import('./snowplow.js')).start,
  },
} satisfies Record<string, Contestant>

/** In the order of the tables. */
export const CONTESTANTS = { bare, local, ...adImpressions, ...handWritten, ...peers }

export type ContestantName = keyof typeof CONTESTANTS
export type PeerName = keyof typeof peers

export const CONTESTANT_NAMES = Object.keys(CONTESTANTS) as ContestantName[]
export const PEER_NAMES = Object.keys(peers) as PeerName[]
/** Without those that only serve to measure a small difference. */
export const MAIN_NAMES = CONTESTANT_NAMES.filter((name) => name !== 'local' && name !== 'dispatch')
/** The variants of ad-impressions that track something. */
export const TRACKING_NAMES = ['ens', 'closientMerged', 'closient', 'closientFifty'] as const

/** @throws {RangeError} if there is no contestant of that name */
export function getContestant(name: string | undefined): Contestant {
  const contestant = CONTESTANTS[name as ContestantName]
  if (!contestant) throw new RangeError(`unknown contestant: ${name}`)
  return contestant
}
