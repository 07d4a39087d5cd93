import assert from 'node:assert/strict'
import type { Clock } from '../../../lib/clock.js'
import { Statistics } from '../../../lib/counting/statistics.js'
import { Delivery } from '../../../lib/delivery/delivery.js'
import type { OutboxOptions } from '../../../lib/delivery/outbox/outbox.js'
import { SharedOutbox } from '../../../lib/delivery/outbox/shared-outbox.js'
import type { Store } from '../../../lib/delivery/outbox/store.js'
import { createImpression, OUTCOMES, type OutcomeEvent } from '../../../lib/impression.js'
import { createLog } from '../../../lib/logger.js'
import { defineNetwork } from '../../../lib/networks/define-network.js'
import type { NetworkDefinition } from '../../../lib/networks/network.js'
import { createMemoryLogger } from '../../page-load/memory-logger.js'
import { type Script, ScriptedTransport } from '../scripted-transport.js'
import type { VirtualClock } from '../virtual-clock.js'
import { createOutboxOptions } from './outbox-options.js'

export const LEASE_MS = 10_000

/** How a process's clock, its sockets and everything else stand still, or end. */
class ProcessClock implements Clock {
  readonly #clock: VirtualClock
  #late: (() => void)[] = []
  state: 'runs' | 'frozen' | 'killed' = 'runs'

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  readonly now = (): number => this.#clock.now()
  readonly wallNow = (): number => this.#clock.wallNow()

  after(delayMs: number, task: () => void, keepsAlive?: 'keeps-alive'): () => void {
    let isCancelled = false
    const runUnlessCancelled = () => {
      if (!isCancelled) task()
    }
    const cancel = this.#clock.after(delayMs, () => this.run(runUnlessCancelled), keepsAlive)
    return () => {
      // It may be due already, and wait until the process goes on.
      isCancelled = true
      cancel()
    }
  }

  defer(task: () => void): void {
    this.#clock.defer(() => this.run(task))
  }

  /** Runs the task now, after the process goes on, or never. */
  run(task: () => void): void {
    if (this.state === 'runs') task()
    else if (this.state === 'frozen') this.#late.push(task)
  }

  thaw(): void {
    this.state = 'runs'
    for (const task of this.#late.splice(0)) this.run(task)
  }
}

export interface FleetProcessOptions {
  readonly clock: VirtualClock
  readonly store: Store
  readonly network?: Partial<NetworkDefinition<number>>
  readonly script?: Script
  readonly random?: () => number
}

/** One process of a fleet: a delivery with a shared outbox. It can be frozen and killed. */
export class FleetProcess {
  readonly delivery: Delivery
  readonly transport: ScriptedTransport
  readonly outcomes: OutcomeEvent[] = []
  readonly log: string[] = []
  readonly #clock: ProcessClock
  readonly #statistics: Statistics
  readonly #network: string
  /** Counts the freezes after which the store's answers came too late. */
  #timeouts = 0

  constructor({
    clock,
    store,
    network: definition,
    script,
    random = () => 0.5,
  }: FleetProcessOptions) {
    this.#clock = new ProcessClock(clock)
    const network = defineNetwork<number>({
      name: 'acme',
      baseUrl: 'http://127.0.0.1:9',
      fields: [],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: (items) => ({ method: 'POST', path: '/', headers: {}, body: JSON.stringify(items) }),
      ...definition,
    })
    const log = createLog(createMemoryLogger(this.log), this.#clock)
    this.#network = network.name
    this.#statistics = new Statistics([network], this.#clock, log)
    this.#statistics.on('outcome', (event) => this.outcomes.push(event))
    this.transport = new ScriptedTransport(this.#clock)
    if (script) this.transport.script = script
    const longestWindowMs = Math.max(0, ...network.windows.map(({ windowMs }) => windowMs))
    const options = createOutboxOptions({
      maxPending: 1_000_000,
      maxBatch: network.maxBatch,
      longestWindowMs,
      figures: () => this.#statistics.figuresToShare('acme', true),
      clock: this.#clock,
      log,
    })
    this.delivery = new Delivery({
      network,
      statistics: this.#statistics.forNetwork('acme'),
      outbox: this.#openOutbox(store, options),
      transport: this.transport,
      maxPending: 1_000_000,
      maxAgeMs: 3_600_000,
      clock: this.#clock,
      random,
      log,
    })
  }

  /** Tracks an impression now. */
  push(item: number, dedupeKey?: string, batchKey?: string): void {
    if (this.#clock.state !== 'runs') return
    const details = { campaignId: item, item, ...(batchKey !== undefined && { batchKey }) }
    const impression = createImpression('acme', `page-${item}`, details, this.#clock.now())
    if (dedupeKey !== undefined) impression.dedupeKey = dedupeKey
    this.delivery.push(impression)
  }

  freeze(): void {
    if (this.#clock.state === 'runs') this.#clock.state = 'frozen'
  }

  /** @param hasTimeouts whether timers run before the sockets are read: answers come too late */
  thaw(hasTimeouts = false): void {
    if (this.#clock.state !== 'frozen') return
    if (hasTimeouts) this.#timeouts += 1
    this.#clock.thaw()
  }

  kill(): void {
    this.#clock.state = 'killed'
  }

  get isKilled(): boolean {
    return this.#clock.state === 'killed'
  }

  get isRunning(): boolean {
    return this.#clock.state === 'runs'
  }

  get stats() {
    const stats = this.#statistics.snapshot()[this.#network]
    assert(stats)
    return stats
  }

  /** tracked = held + pending + the sum of the outcomes. */
  assertBalanced(): void {
    const { stats } = this
    const ended = OUTCOMES.reduce((sum, outcome) => sum + stats[outcome], 0)
    assert.equal(stats.tracked, stats.held + stats.pending + ended, 'the figures do not balance')
    assert(stats.pending >= 0)
  }

  /** The fleet's figures of the network. */
  async fleetStats() {
    const figures = await this.delivery.fleet?.readFigures()
    assert(figures)
    const stats = this.#statistics.combine(new Map([[this.#network, figures]]))[this.#network]
    assert(stats)
    return stats
  }

  /** The store answers only while the process runs. */
  #openOutbox(store: Store, options: OutboxOptions): SharedOutbox {
    const clock = this.#clock
    const whenRunning = <Value>(answer: Promise<Value>): Promise<Value> => {
      const timeouts = this.#timeouts
      const isInTime = () => timeouts === this.#timeouts
      return new Promise((resolve, reject) => {
        const timeOut = () => reject(new Error('the answer came too late'))
        answer.then(
          (value) => clock.run(() => (isInTime() ? resolve(value) : timeOut())),
          (thrown) => clock.run(() => reject(thrown)),
        )
      })
    }
    const own: Store = {
      exchange: (request) => whenRunning(store.exchange(structuredClone(request))),
      hasArrivals: (seenUpTo) => whenRunning(store.hasArrivals(seenUpTo)),
      readFleet: () => whenRunning(store.readFleet()),
      close: () => store.close(),
    }
    return new SharedOutbox(own, options, LEASE_MS)
  }
}
