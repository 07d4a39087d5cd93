import type { CallEnd } from '../../lib/delivery/call/transport.js'
import { lost, ok, ScriptedTransport, status } from './scripted-transport.js'
import type { VirtualClock } from './virtual-clock.js'

/** What a network does with a call that reaches it at some moment. */
export type Behaviour = 'fine' | 'refused' | 'hangs' | 'resets' | 'fails' | 'gateway' | 'throttles'

/** An answer takes between 5 ms and this. */
const LONGEST_LATENCY_MS = 35

/** As `TrackerOptions['delivery'].timeoutMs` by default. */
const TIMEOUT_MS = 10_000

/** A random number from 0 up to 1 at each call, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A network that misbehaves as it is told, and keeps a ledger of what it counted. */
export class VirtualNetwork {
  readonly transport: ScriptedTransport
  /** How often each item was counted. */
  readonly ledger = new Map<number, number>()
  /** What it does now. */
  behave: (random: number) => Behaviour = () => 'fine'
  /** Calls that got no answer that says whether they counted. */
  ambiguousCalls = 0

  constructor(clock: VirtualClock, random: () => number) {
    this.transport = new ScriptedTransport(clock)
    this.transport.script = (call) => {
      const behaviour = this.behave(random())
      // For a caller that would send again it is the worst case.
      const isCounted = ['fine', 'hangs', 'resets', 'gateway'].includes(behaviour)
      if (isCounted) {
        for (const item of call.items) this.ledger.set(item, (this.ledger.get(item) ?? 0) + 1)
      }
      if (['hangs', 'resets', 'gateway'].includes(behaviour)) this.ambiguousCalls += 1
      this.transport.latencyMs =
        behaviour === 'hangs' ? TIMEOUT_MS : 5 + (LONGEST_LATENCY_MS - 5) * random()
      return ENDS[behaviour]
    }
  }

  /** Items that were counted more than once. */
  get twice(): number {
    return [...this.ledger.values()].filter((times) => times > 1).length
  }
}

const ENDS: Readonly<Record<Behaviour, CallEnd>> = {
  fine: ok,
  refused: lost(false, 'ECONNREFUSED'),
  hangs: lost(true, 'ETIMEDOUT'),
  resets: lost(true, 'ECONNRESET'),
  fails: status(500),
  gateway: status(502),
  throttles: status(429, { 'retry-after': '2' }),
}
