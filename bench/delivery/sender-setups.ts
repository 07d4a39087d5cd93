import type { SenderName } from './senders.js'

/** A sender, its connections, and how much it sends in each round. */
export interface SenderSetup {
  readonly name: SenderName
  readonly label: string
  readonly connections: number
  /** Enough to take some tenths of a second. */
  readonly impressions: number
  /** Impressions to send before the first round, so that V8 has compiled the hot code. */
  readonly warmUp: number
}

const ENS_LABEL = 'ad-impressions, ENS'
const DISPATCH_LABEL = 'a loop of `pool.dispatch`'

/** Calls per connection. A whole number, because an idle connection would count as slowness. */
const CALLS_PER_CONNECTION = 30
const FETCH_CALLS_PER_CONNECTION = 8
const WARM_UP_FACTOR = 200

function setUpSingleCalls(
  name: SenderName,
  label: string,
  connections: number,
  callsPerConnection = CALLS_PER_CONNECTION,
): SenderSetup {
  const impressions = callsPerConnection * connections
  return { name, label, connections, impressions, warmUp: WARM_UP_FACTOR * callsPerConnection }
}

function setUpEnsAndLoops(connections: number): readonly SenderSetup[] {
  return [
    setUpSingleCalls('ens', ENS_LABEL, connections),
    setUpSingleCalls('dispatch', DISPATCH_LABEL, connections),
    setUpSingleCalls('request', 'a loop of `pool.request`', connections),
    setUpSingleCalls('fetch', 'a loop of `fetch`', connections, FETCH_CALLS_PER_CONNECTION),
  ]
}

/** How many impressions to send per round, without and with latency. */
const BATCHES = [
  { name: 'closient1', size: '1', withoutLatency: 3_000, withLatency: 120 },
  { name: 'closient10', size: '10', withoutLatency: 20_000, withLatency: 1_200 },
  { name: 'closient100', size: '100', withoutLatency: 60_000, withLatency: 12_000 },
  { name: 'closient1000', size: '1,000', withoutLatency: 100_000, withLatency: 104_000 },
] as const

function setUpClosient(amount: 'withoutLatency' | 'withLatency'): SenderSetup[] {
  return BATCHES.map(({ name, size, withoutLatency, [amount]: impressions }) => {
    const label = `ad-impressions, Closient, batches of ${size}`
    return { name, label, connections: 8, impressions, warmUp: withoutLatency }
  })
}

/** As many as two processors can serve, when one of them is the network. */
export const FEW_CONNECTIONS = 16
/** The default of `ens()`, and more than two processors can serve. */
export const MANY_CONNECTIONS = 128

export const SETUPS_WITHOUT_LATENCY = [
  ...setUpEnsAndLoops(MANY_CONNECTIONS),
  ...setUpClosient('withoutLatency'),
]

export const SETUPS_WITH_LATENCY = [
  ...setUpEnsAndLoops(FEW_CONNECTIONS),
  setUpSingleCalls('ens', ENS_LABEL, MANY_CONNECTIONS),
  setUpSingleCalls('dispatch', DISPATCH_LABEL, MANY_CONNECTIONS),
  ...setUpClosient('withLatency'),
]

/** One call at a time over one connection, which shows how long an answer really takes. */
export const SEQUENTIAL_SETUP = setUpSingleCalls(
  'dispatch',
  DISPATCH_LABEL,
  1,
  FETCH_CALLS_PER_CONNECTION,
)

export function isClosient(name: SenderName): boolean {
  return name.startsWith('closient')
}
