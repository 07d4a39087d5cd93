import type { Contestant, Counting } from './contestant.js'

const DEFAULT_TIER = 300
/** A custom tier that allows more calls than one process makes. */
export const AMPLE_TIER = 1_000_000

/** At 20 ms eight connections carry 400 batches a second, and pages would merge. */
const BATCH_A_PAGE = { wire: 'closient', callsPerMinute: AMPLE_TIER, latencyMs: 2 } as const

/** The page as it is: the limit. */
const bare = {
  label: 'bare',
  impressions: 0,
  wire: undefined,
  load: async () => (): Counting => ({ inputOf: () => ({}) }),
} satisfies Contestant

/** What any middleware adds that gives templates something: EJS then takes longer to find the rest. */
const local = {
  label: 'bare, with one more local',
  impressions: 0,
  wire: undefined,
  load: async () => (): Counting => ({ inputOf: () => ({}), track: () => {} }),
} satisfies Contestant

const loadEns = async () => (await import('./own.js')).startEns
const loadClosient = async () => (await import('./own.js')).startClosient

const own = {
  none: { label: 'ad-impressions, nothing tracked', impressions: 0, wire: 'ens', load: loadEns },
  ens: { label: 'ad-impressions, 3 ENS', impressions: 3, wire: 'ens', load: loadEns },
  closientMerged: {
    label: 'ad-impressions, 3 Closient, pages merge',
    impressions: 3,
    wire: 'closient',
    callsPerMinute: DEFAULT_TIER,
    load: loadClosient,
  },
  closient: {
    label: 'ad-impressions, 3 Closient, a batch a page',
    impressions: 3,
    ...BATCH_A_PAGE,
    load: loadClosient,
  },
  closientFifty: {
    label: 'ad-impressions, 50 Closient, a batch a page',
    impressions: 50,
    ...BATCH_A_PAGE,
    load: loadClosient,
  },
} satisfies Record<string, Contestant>

/** By hand, each impression a call to ENS: the ways in which it is done today, and the least of all. */
const handWritten = {
  fetch: {
    label: '`fetch`, not awaited',
    impressions: 3,
    wire: 'ens',
    load: async () => (await import('./hand-written.js')).startFetch,
  },
  awaitedFetch: {
    label: '`fetch`, awaited',
    impressions: 3,
    wire: 'ens',
    load: async () => (await import('./hand-written.js')).startAwaitedFetch,
  },
  request: {
    label: '`undici.request`, not awaited',
    impressions: 3,
    wire: 'ens',
    load: async () => (await import('./hand-written.js')).startRequest,
  },
  dispatch: {
    label: '`dispatch` of undici, with an empty handler: the least',
    impressions: 3,
    wire: 'ens',
    load: async () => (await import('./hand-written.js')).startDispatch,
  },
} satisfies Record<string, Contestant>

/** What people reach for instead, at its defaults. */
const peers = {
  segment: {
    label: '@segment/analytics-node',
    impressions: 3,
    wire: 'segment',
    load: async () => (await import('./segment.js')).start,
  },
  posthog: {
    label: 'posthog-node',
    impressions: 3,
    wire: 'posthog',
    load: async () => (await import('./posthog.js')).start,
  },
  amplitude: {
    label: '@amplitude/analytics-node',
    impressions: 3,
    wire: 'amplitude',
    load: async () => (await import('./amplitude.js')).start,
  },
  snowplow: {
    label: '@snowplow/node-tracker',
    impressions: 3,
    wire: 'snowplow',
    load: async () => (await import('./snowplow.js')).start,
  },
} satisfies Record<string, Contestant>

/** Every contestant, in the order in which they take turns. */
export const CONTESTANTS = { bare, local, ...own, ...handWritten, ...peers }

export type ContestantName = keyof typeof CONTESTANTS
export type PeerName = keyof typeof peers

export const CONTESTANT_NAMES = Object.keys(CONTESTANTS) as ContestantName[]
export const PEER_NAMES = Object.keys(peers) as PeerName[]
/** Without those that are there for the sake of a small difference. */
export const MAIN_NAMES = CONTESTANT_NAMES.filter((name) => name !== 'local' && name !== 'dispatch')
/** The library's own that track something. */
export const OWN_NAMES = ['ens', 'closientMerged', 'closient', 'closientFifty'] as const

/** @throws {RangeError} where there is none of that name */
export function contestantOf(name: string | undefined): Contestant {
  const contestant = CONTESTANTS[name as ContestantName]
  if (!contestant) throw new RangeError(`no contestant ${name}`)
  return contestant
}
