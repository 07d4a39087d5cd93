// Tests lib/delivery/outbox/shared-outbox.ts
// Tests lib/delivery/outbox/exchange-queue.ts
// Tests lib/delivery/outbox/claimable-impressions.ts
// Tests lib/delivery/outbox/shared-figures.ts

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NetworkStats } from '../../../lib/counting/statistics.js'
import type { Store } from '../../../lib/delivery/outbox/store.js'
import { connectionError, ok, type Script, status } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { FleetProcess, LEASE_MS } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'

const PROCESSES = 3
/** How long after it did a step the store's answer arrives. */
const LATENCY_MS = 4

const STEP = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('push' as const),
      at: fc.nat(PROCESSES - 1),
      key: fc.nat(20),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 20, 500, 4_000, 15_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom(
        'freeze' as const,
        'thaw' as const,
        'kill' as const,
        'close' as const,
        'start' as const,
      ),
      at: fc.nat(PROCESSES - 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('stall' as const),
      at: fc.nat(PROCESSES - 1),
      afterMs: fc.nat(4 * LATENCY_MS),
      hasTimeouts: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('store' as const),
      fails: fc.constantFrom('never' as const, 'before' as const, 'after' as const),
      isFull: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('network' as const),
      answers: fc.constantFrom(
        'ok' as const,
        'retry' as const,
        'unsent' as const,
        'lost' as const,
        'silence' as const,
      ),
    }),
  },
)

/** A store loses everything that it has. */
const LOSS = fc.record({ does: fc.constant('lose' as const) })
const STEP_OR_LOSS = fc.oneof({ weight: 18, arbitrary: STEP }, { weight: 1, arbitrary: LOSS })

type Step = typeof STEP_OR_LOSS extends fc.Arbitrary<infer Value> ? Value : never

/** A fleet under random faults, and what the network has counted. */
class RandomFleet {
  readonly clock = new VirtualClock()
  #memory = new MemoryStore(this.clock.now)
  #hasLostData = false
  /** Impressions that were tracked in a process that ran. */
  #accepted = 0
  readonly #network
  readonly #all: FleetProcess[] = []
  readonly #current: FleetProcess[] = []
  readonly #counted = new Map<number, number>()
  readonly #keyOf = new Map<number, string>()
  #storeFails: 'never' | 'before' | 'after' = 'never'
  #answers: 'ok' | 'retry' | 'unsent' | 'lost' | 'silence' = 'ok'
  #pushed = 0

  constructor(hasWindows: boolean) {
    this.#network = hasWindows
      ? { windows: [{ limit: 300, windowMs: 60_000 }], maxBatch: 5 }
      : { connections: 3 }
    for (let at = 0; at < PROCESSES; at += 1) this.#start(at)
  }

  async run(step: Step): Promise<void> {
    switch (step.does) {
      case 'push':
        return this.#push(step.at, step.key)
      case 'wait':
        return await this.clock.advanceAsync(step.ms)
      case 'stall':
        return await this.#stall(step)
      case 'store':
        this.#storeFails = step.fails
        this.#memory.isFull = step.isFull
        return
      case 'lose':
        this.#memory = new MemoryStore(this.clock.now)
        this.#hasLostData = true
        return
      case 'network':
        this.#answers = step.answers
        return
      default:
        await this.#change(step.does, step.at)
    }
    for (const one of this.#all) one.assertBalanced()
  }

  /** Ends all faults, and lets the fleet finish. */
  async settle(): Promise<FleetProcess> {
    this.#storeFails = 'never'
    this.#memory.isFull = false
    this.#answers = 'ok'
    for (const one of this.#all) {
      one.thaw()
      // As at the timeout of a call.
      if (!one.isKilled) await one.transport.destroy()
    }
    const last = this.#start(0)
    for (let round = 0; round < 12; round += 1) await this.clock.advanceAsync(LEASE_MS)
    return last
  }

  /** Even by a store that has lost its dedupe keys, no impression is sent twice. */
  assertCountedOnce(): void {
    const keys = [...this.#counted].map(([item, count]) => {
      assert.equal(count, 1, `impression ${item} was counted ${count} times`)
      return this.#keyOf.get(item)
    })
    if (!this.#hasLostData)
      assert.equal(new Set(keys).size, keys.length, 'a campaign counted twice')
  }

  /** Nothing is pending, and each impression has one outcome. */
  assertEnded(): void {
    const running = this.#all.filter(({ isKilled }) => !isKilled)
    for (const one of this.#all) one.assertBalanced()
    for (const { stats } of running) assert.equal(stats.pending, 0)
    // A process that finds its lease over and the data lost does not know what others have counted.
    if (this.#hasLostData) return
    const ended = running.flatMap(({ outcomes }) => outcomes.map(({ campaignId }) => campaignId))
    assert.equal(new Set(ended).size, ended.length, 'two outcomes of one impression')
    if (running.length < this.#all.length) return
    assert.equal(ended.length, this.#accepted, 'an impression without an outcome')
  }

  /** The fleet's figures are those of its processes, and what the network has counted. */
  assertCounted(stats: NetworkStats): void {
    assert.equal(stats.pending, 0)
    // The fleet's figures begin anew.
    if (this.#hasLostData) return
    assert(stats.tracked <= this.#keyOf.size, 'more impressions than were tracked')
    assert(stats.delivered <= this.#counted.size)
    assert(stats.delivered + stats.uncertain >= this.#counted.size, 'one that counted is missing')
    if (this.#all.some(({ isKilled }) => isKilled)) return
    const tracked = this.#all.reduce((sum, one) => sum + one.stats.tracked, 0)
    assert.equal(stats.tracked, tracked, 'not the sum of the figures')
  }

  #push(at: number, key: number): void {
    this.#pushed += 1
    this.#keyOf.set(this.#pushed, `key ${key}`)
    if (this.#current[at]?.isRunning) this.#accepted += 1
    this.#current[at]?.push(this.#pushed, `key ${key}`)
  }

  /** Freezes a process for longer than its lease, soon after an impression was tracked there. */
  async #stall({ at, afterMs, hasTimeouts }: Extract<Step, { does: 'stall' }>): Promise<void> {
    this.#push(at, this.#pushed)
    await this.clock.advanceAsync(afterMs)
    this.#current[at]?.freeze()
    await this.clock.advanceAsync(LEASE_MS * 2)
    this.#current[at]?.thaw(hasTimeouts)
  }

  async #change(change: 'freeze' | 'thaw' | 'kill' | 'close' | 'start', at: number): Promise<void> {
    const one = this.#current[at]
    if (change === 'start' && one?.isKilled) this.#start(at)
    else if (change === 'freeze') one?.freeze()
    else if (change === 'thaw') one?.thaw()
    else if (change === 'kill') one?.kill()
    else if (change === 'close' && one?.isRunning) {
      const closing = one.delivery.close()
      await Promise.all([closing, this.clock.advanceAsync(3_000)])
      one.kill()
    }
  }

  #start(at: number): FleetProcess {
    const store: Store = {
      exchange: async (request) => {
        if (this.#storeFails === 'before') throw new Error('the store is down')
        const response = await this.#memory.exchange(request)
        await new Promise<void>((resolve) => this.clock.after(LATENCY_MS, resolve))
        if (this.#storeFails === 'after') throw new Error('the answer was lost')
        return response
      },
      hasArrivals: (seenUpTo) => this.#memory.hasArrivals(seenUpTo),
      readFleet: () => this.#memory.readFleet(),
      close: () => this.#memory.close(),
    }
    const script: Script = ({ items }) => {
      if (this.#answers === 'retry') return status(429)
      if (this.#answers === 'unsent') return connectionError(false)
      for (const item of items) this.#counted.set(item, (this.#counted.get(item) ?? 0) + 1)
      if (this.#answers === 'lost') return connectionError(true)
      return this.#answers === 'silence' ? undefined : ok
    }
    const one = new FleetProcess({ clock: this.clock, store, network: this.#network, script })
    this.#current[at] = one
    this.#all.push(one)
    return one
  }
}

describe('a fleet of processes that are killed, frozen and closed at random, with a store that fails', () => {
  for (const hasWindows of [false, true]) {
    const test = async (step: fc.Arbitrary<Step>) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const fleet = new RandomFleet(hasWindows)
          for (const step of steps) await fleet.run(step)
          const last = await fleet.settle()
          fleet.assertCountedOnce()
          fleet.assertEnded()
          const [stats] = await Promise.all([last.fleetStats(), fleet.clock.advanceAsync(100)])
          fleet.assertCounted(stats)
        }),
        { numRuns: Number(process.env.FLEET_RUNS ?? 60) },
      )
    }
    const description = hasWindows ? 'with windows' : 'without windows'

    it(`counts nothing twice and loses nothing that is stored (${description})`, () => test(STEP))

    it(`counts nothing twice when the store loses its data (${description})`, () =>
      test(STEP_OR_LOSS))
  }
})
