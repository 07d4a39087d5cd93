// Tests lib/delivery/outbox/shared-outbox.ts
// Tests lib/delivery/outbox/exchange-queue.ts

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ok, status } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { CountingNetwork } from './counting-network.js'
import { FailingStore } from './failing-store.js'
import { FleetProcess } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'

const MINUTE_MS = 60_000
const WINDOWS = [
  { limit: 20, windowMs: MINUTE_MS },
  { limit: 70, windowMs: 5 * MINUTE_MS },
]
const PROCESSES = 2
const MAX_CALL_MS = 9_000

const STEP = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('push' as const),
      at: fc.nat(PROCESSES - 1),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 20, 500, 4_000, 15_000, 55_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('kill' as const, 'close' as const, 'freeze' as const, 'thaw' as const),
      at: fc.nat(PROCESSES - 1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('store' as const),
      at: fc.nat(PROCESSES - 1),
      fails: fc.constantFrom('never' as const, 'before' as const, 'after' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('network' as const),
      slowestMs: fc.constantFrom(5, 200, MAX_CALL_MS),
      refused: fc.constantFrom(1, 3, 1_000),
    }),
  },
)
type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never

class RandomFleet {
  readonly clock = new VirtualClock()
  readonly network = new CountingNetwork(WINDOWS)
  readonly random: () => number
  readonly #memory = new MemoryStore(this.clock.now)
  readonly #members: { process: FleetProcess; store: FailingStore }[]
  #slowestMs = 200
  #refused = 3
  #pushed = 0

  constructor(random: () => number) {
    this.random = random
    this.#members = Array.from({ length: PROCESSES }, () => this.#start())
  }

  async run(step: Step): Promise<void> {
    if (step.does === 'wait') await this.clock.advanceAsync(step.ms)
    else if (step.does === 'network') {
      this.#slowestMs = step.slowestMs
      this.#refused = step.refused
    } else await this.#change(step)
  }

  async #change(step: Exclude<Step, { does: 'wait' | 'network' }>): Promise<void> {
    const member = this.#members[step.at]
    assert(member)
    const { process, store } = member
    if (step.does === 'push') this.#push(process, step.count)
    else if (step.does === 'store') store.fails = step.fails
    else if (step.does === 'freeze') process.freeze()
    else if (step.does === 'thaw') process.thaw()
    else {
      if (step.does === 'close' && process.isRunning) {
        await Promise.all([process.delivery.close(), this.clock.advanceAsync(3_000)])
      }
      process.kill()
      this.#members[step.at] = this.#start()
    }
  }

  #push(process: FleetProcess, count: number): void {
    const last = this.#pushed + count
    while (this.#pushed < last) {
      this.#pushed += 1
      process.push(this.#pushed)
    }
  }

  #start(): { process: FleetProcess; store: FailingStore } {
    const store = new FailingStore(this.#memory)
    const process = new FleetProcess({
      clock: this.clock,
      store,
      network: { windows: WINDOWS, maxBatch: 16, connections: 8 },
      random: this.random,
      script: (call) => {
        process.transport.latencyMs = this.random() * this.#slowestMs
        this.network.receive(call, process.transport.latencyMs)
        return call.items.some((item) => item % this.#refused === 0) ? status(422) : ok
      },
    })
    process.delivery.suspendPacing()
    return { process, store }
  }
}

describe('the windows of a fleet of processes that are killed, cut off and restarted at random', () => {
  it('are never exceeded', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(STEP, { minLength: 20, maxLength: 60 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })),
        async (steps, numbers) => {
          const fleet = new RandomFleet(() => numbers.next().value)
          for (const step of steps) await fleet.run(step)
          fleet.network.assertWithinWindows(fleet.random)
        },
      ),
      { numRuns: Number(process.env.FLEET_RUNS ?? 40) },
    )
  })
})
