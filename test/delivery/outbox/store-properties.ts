// Tests lib/delivery/outbox/store.ts

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type {
  ExchangeRequest,
  ExchangeResponse,
  Store,
} from '../../../lib/delivery/outbox/store.js'
import { VirtualClock } from '../virtual-clock.js'
import { MemoryStore } from './memory-store.js'
import { StoreOwner, type StoreSetup } from './store-owner.js'

/** Time passes in steps that are far longer than a run takes, for stores with a clock of their own. */
const UNIT_MS = 60_000

const DURATIONS = {
  leaseMs: 10 * UNIT_MS,
  dedupeTtlMs: 25 * UNIT_MS,
  callsTtlMs: 40 * UNIT_MS,
  probeMs: 5 * UNIT_MS,
}

const PROCESSES = 4
const KEYS = 6

/** Up to three of the records that have been appended so far. */
const SELECTION = fc.array(fc.nat(1_000), { maxLength: 3 })

const EXCHANGE = fc.record({
  kind: fc.constant('exchange' as const),
  process: fc.nat(PROCESSES - 1),
  appendKeys: fc.array(fc.option(fc.nat(KEYS - 1)), { maxLength: 3 }),
  settle: SELECTION,
  release: SELECTION,
  claim: SELECTION,
  calls: fc.nat(2),
  pauseUnits: fc.option(fc.nat(12), { freq: 4 }),
  outageUnits: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.nat(25) },
  ),
  /** The response is lost: the process repeats the step. */
  isLost: fc.boolean(),
  isLeaving: fc.constantFrom(false, false, false, false, false, true),
})

const STEP = fc.oneof(
  { weight: 12, arbitrary: EXCHANGE },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      units: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), process: fc.nat(PROCESSES - 1) }),
  },
)

const CASE = fc.record({
  /** The box of each process. */
  boxes: fc.oneof(
    ...(['own', 'fleet'] as const).map((box) =>
      fc.constant(Array<typeof box>(PROCESSES).fill(box)),
    ),
    fc.array(fc.constantFrom('own' as const, 'fleet' as const), {
      minLength: PROCESSES,
      maxLength: PROCESSES,
    }),
  ),
  steps: fc.array(STEP, { minLength: 10, maxLength: 50 }),
})

type Case = typeof CASE extends fc.Arbitrary<infer Value> ? Value : never
type Step = Case['steps'][number]
type Exchange = Extract<Step, { kind: 'exchange' }>

/**
 * Processes that append, claim, settle, release, pause, crash, freeze and leave in any order get the
 * same responses from the store as from the reference store. A failure prints its seed.
 */
export function storeProperties(
  name: string,
  setUp: () => StoreSetup,
  { runs = 50 }: { runs?: number } = {},
): void {
  it(`responds as the reference store does, in any order of steps: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(CASE, async ({ boxes, steps }) => {
        const fleet = new ComparedFleet(setUp(), boxes)
        try {
          for (const step of steps) await fleet.run(step)
          await fleet.compareFigures()
        } finally {
          await fleet.close()
        }
      }),
      { numRuns: runs, endOnFailure: true },
    )
  })
}

/** One process: what it asks the store, and the same of the reference store. */
interface Process {
  readonly store: Store
  readonly box: 'own' | 'fleet'
  readonly actual: StoreOwner
  readonly expected: StoreOwner
  tracked: number
}

class ComparedFleet {
  readonly #clock = new VirtualClock()
  readonly #reference = new MemoryStore(this.#clock.now)
  readonly #setup: StoreSetup
  readonly #processes: Process[]
  readonly #ids: string[] = []
  #starts = 0

  constructor(setup: StoreSetup, boxes: readonly ('own' | 'fleet')[]) {
    this.#setup = setup
    this.#processes = boxes.map((box) => this.#start(box, setup.open()))
  }

  async run(step: Step): Promise<void> {
    if (step.kind === 'advance') {
      this.#clock.advance(step.units * UNIT_MS)
      await this.#setup.advance(step.units * UNIT_MS)
    } else if (step.kind === 'crash') {
      this.#restart(step.process)
    } else {
      await this.#exchange(step)
    }
  }

  async compareFigures(): Promise<void> {
    const [{ store }] = this.#processes as [Process]
    const plain = ({ figures, records }: Awaited<ReturnType<Store['readFleet']>>) => ({
      figures: { ...figures },
      records,
    })
    const expected = plain(await this.#reference.readFleet())
    assert.deepEqual(plain(await store.readFleet()), expected)
  }

  async close(): Promise<void> {
    for (const { store } of this.#processes) await store.close()
  }

  #start(box: 'own' | 'fleet', store: Store): Process {
    this.#starts += 1
    const name = `process ${this.#starts}`
    const actual = new StoreOwner(store, name, box)
    return { store, box, actual, expected: new StoreOwner(this.#reference, name, box), tracked: 0 }
  }

  /** With the connection that it has: tests run faster. */
  #restart(index: number): void {
    const { box, store } = this.#processes[index] as Process
    this.#processes[index] = this.#start(box, store)
  }

  async #exchange(step: Exchange): Promise<void> {
    const process = this.#processes[step.process] as Process
    const changes = this.#request(step, process)
    if (step.isLost) {
      await process.actual.exchangeInVain(changes)
      await process.expected.exchangeInVain(changes)
    }
    const request = { ...changes, isResync: step.isLost }
    const expected = await process.expected.exchange(request)
    assert.deepEqual(comparable(await process.actual.exchange(request)), comparable(expected))
    if (expected.isLost || step.isLeaving) this.#restart(step.process)
  }

  #request(step: Exchange, process: Process): Partial<ExchangeRequest> {
    const select = (indexes: readonly number[]) => {
      const all = indexes.flatMap((index) => this.#ids[index % this.#ids.length] ?? [])
      return [...new Set(all)]
    }
    const [settle, release, claim] = [step.settle, step.release, step.claim].map(select) as [
      string[],
      string[],
      string[],
    ]
    const records = step.appendKeys.map((key) => {
      this.#ids.push(`record ${this.#ids.length}`)
      const id = this.#ids.at(-1) ?? ''
      return { id, payload: `first ${id}`, ...(key === null ? {} : { dedupeKey: `key ${key}` }) }
    })
    process.tracked += records.length
    return {
      ...DURATIONS,
      settle,
      release: release.map((id) => ({ id, payload: `released ${id}` })),
      claim,
      append: records.length > 0 ? { number: this.#ids.length, records } : undefined,
      maxPending: 12,
      calls: step.calls,
      pauseMs: step.pauseUnits === null ? undefined : step.pauseUnits * UNIT_MS,
      figures: { tracked: process.tracked, held: 1 },
      outageMs: step.outageUnits * UNIT_MS,
      isLeaving: step.isLeaving,
    }
  }
}

/** Without what stores may do differently: the order of what several dead owners have left. */
function comparable({ seenUpTo: _seenUpTo, ...response }: ExchangeResponse) {
  const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
  return {
    ...response,
    claimed: [...response.claimed].sort(),
    arrivals: [...response.arrivals].sort(byId),
    orphans: [...response.orphans].sort(byId),
    callAgesMs: response.callAgesMs?.map((ageMs) => Math.floor(ageMs / UNIT_MS)),
  }
}
