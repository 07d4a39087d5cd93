import type { CallEnd } from '../../lib/delivery/call/transport.js'
import { connectionError, ok, ScriptedTransport, status } from './scripted-transport.js'
import type { VirtualClock } from './virtual-clock.js'

/** What the network does with a call. */
export type Behaviour =
  | 'answers'
  | 'refuses'
  | 'hangs'
  | 'resets'
  | 'fails'
  | 'throttles'
  | 'gateway-fails'

const SHORTEST_LATENCY_MS = 5
const LONGEST_LATENCY_MS = 35

/** The default of `delivery.timeoutMs`. */
const TIMEOUT_MS = 10_000

/** Returns a generator of numbers from 0 up to 1: the same seed gives the same sequence (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function drawLatencyMs(random: () => number): number {
  return SHORTEST_LATENCY_MS + (LONGEST_LATENCY_MS - SHORTEST_LATENCY_MS) * random()
}

/** A network in virtual time that fails as the test decides, and records what it counts. */
export class UnreliableNetwork {
  readonly transport: ScriptedTransport
  /** How often each item was counted. */
  readonly timesCounted = new Map<number, number>()
  /** Decides for each call; `random` is a number from 0 up to 1. */
  behave: (random: number) => Behaviour = () => 'answers'
  /** Calls whose end does not tell whether they counted. */
  ambiguousCalls = 0

  constructor(clock: VirtualClock, random: () => number) {
    this.transport = new ScriptedTransport(clock)
    this.transport.script = ({ items }) => {
      const behaviour = this.behave(random())
      this.#count(items, behaviour)
      this.transport.latencyMs = behaviour === 'hangs' ? TIMEOUT_MS : drawLatencyMs(random)
      return CALL_ENDS[behaviour]
    }
  }

  /** Items that were counted more than once. */
  get countedTwice(): number {
    return [...this.timesCounted.values()].filter((times) => times > 1).length
  }

  /** Ambiguous calls count, which is the worst case for a caller that sends again. */
  #count(items: readonly number[], behaviour: Behaviour): void {
    if (AMBIGUOUS.has(behaviour)) this.ambiguousCalls += 1
    else if (behaviour !== 'answers') return
    for (const item of items) {
      this.timesCounted.set(item, (this.timesCounted.get(item) ?? 0) + 1)
    }
  }
}

const AMBIGUOUS: ReadonlySet<Behaviour> = new Set(['hangs', 'resets', 'gateway-fails'])

const CALL_ENDS: Readonly<Record<Behaviour, CallEnd>> = {
  answers: ok,
  refuses: connectionError(false, 'ECONNREFUSED'),
  hangs: connectionError(true, 'ETIMEDOUT'),
  resets: connectionError(true, 'ECONNRESET'),
  fails: status(500),
  throttles: status(429, { 'retry-after': '2' }),
  'gateway-fails': status(502),
}
