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

type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never

/** A fleet under random faults, and what the network has counted. */
class RandomFleet {
  readonly clock = new VirtualClock()
  readonly #memory = new MemoryStore(this.clock.now)
  readonly #network
  readonly all: FleetProcess[] = []
  readonly #current: FleetProcess[] = []
  readonly counted = new Map<number, number>()
  readonly keyOf = new Map<number, string>()
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
        return
      case 'network':
        this.#answers = step.answers
        return
      default:
        await this.#change(step.does, step.at)
    }
    for (const one of this.all) one.assertBalanced()
  }

  /** Ends all faults, and lets the fleet finish. */
  async settle(): Promise<FleetProcess> {
    this.#storeFails = 'never'
    this.#answers = 'ok'
    for (const one of this.all) {
      one.thaw()
      // As at the timeout of a call.
      if (!one.isKilled) await one.transport.destroy()
    }
    const last = this.#start(0)
    for (let round = 0; round < 12; round += 1) await this.clock.advanceAsync(LEASE_MS)
    return last
  }

  /** The fleet's figures are those of its processes, and what the network has counted. */
  assertCounted(stats: NetworkStats): void {
    assert.equal(stats.pending, 0)
    assert(stats.tracked <= this.keyOf.size, 'more impressions than were tracked')
    assert(stats.delivered <= this.counted.size)
    assert(stats.delivered + stats.uncertain >= this.counted.size, 'one that counted is missing')
    if (this.all.some(({ isKilled }) => isKilled)) return
    const tracked = this.all.reduce((sum, one) => sum + one.stats.tracked, 0)
    assert.equal(stats.tracked, tracked, 'not the sum of the figures')
  }

  #push(at: number, key: number): void {
    this.#pushed += 1
    this.keyOf.set(this.#pushed, `key ${key}`)
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
      for (const item of items) this.counted.set(item, (this.counted.get(item) ?? 0) + 1)
      if (this.#answers === 'lost') return connectionError(true)
      return this.#answers === 'silence' ? undefined : ok
    }
    const one = new FleetProcess({ clock: this.clock, store, network: this.#network, script })
    this.#current[at] = one
    this.all.push(one)
    return one
  }
}

describe('a fleet of processes that are killed, frozen and closed at random, with a store that fails', () => {
  for (const hasWindows of [false, true]) {
    it(`counts nothing twice and loses nothing that is stored (${hasWindows ? 'with' : 'without'} windows)`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { maxLength: 60 }), async (steps) => {
          const fleet = new RandomFleet(hasWindows)
          for (const step of steps) await fleet.run(step)
          const last = await fleet.settle()
          const countedKeys = [...fleet.counted].map(([item, count]) => {
            assert.equal(count, 1, `impression ${item} was counted ${count} times`)
            return fleet.keyOf.get(item)
          })
          assert.equal(new Set(countedKeys).size, countedKeys.length, 'a campaign counted twice')
          for (const one of fleet.all) {
            one.assertBalanced()
            if (!one.isKilled) assert.equal(one.stats.pending, 0)
          }
          const ended = fleet.all
            .filter(({ isKilled }) => !isKilled)
            .flatMap(({ outcomes }) => outcomes.map(({ campaignId }) => campaignId))
          assert.equal(new Set(ended).size, ended.length, 'two outcomes of one impression')
          const [stats] = await Promise.all([last.fleetStats(), fleet.clock.advanceAsync(100)])
          fleet.assertCounted(stats)
        }),
        { numRuns: Number(process.env.FLEET_RUNS ?? 60) },
      )
    })
  }
})
