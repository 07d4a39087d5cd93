import type { Clock } from '../../lib/clock.js'
import { type NetworkStats, Statistics } from '../../lib/counting/statistics.js'
import { Delivery } from '../../lib/delivery/delivery.js'
import { MemoryOutbox } from '../../lib/delivery/outbox/memory-outbox.js'
import type { Impression } from '../../lib/impression.js'
import type { Log } from '../../lib/logger.js'
import type { Network } from '../../lib/networks/network.js'
import type { SimulatedNetwork } from './simulated-network.js'

export interface SimulatedProcessOptions {
  readonly network: Network
  readonly server: SimulatedNetwork
  readonly maxPending: number
  readonly maxAgeMs: number
  readonly knownProcesses: number
  readonly clock: Clock
  readonly random: () => number
  /** Called with each impression that is delivered, and how long that took. */
  readonly onDelivered: (latencyMs: number) => void
}

/** As long as `close()` waits by default. */
const CLOSE_TIMEOUT_MS = 10_000

const silentLog: Log = { debug: () => {}, warn: () => {}, error: () => {} }

/** A process of the publisher, with a delivery and an outbox of its own. */
export class SimulatedProcess {
  readonly #delivery: Delivery
  readonly #statistics: Statistics
  readonly #options: SimulatedProcessOptions

  constructor(options: SimulatedProcessOptions) {
    const { network, server, maxPending, maxAgeMs, clock, random, onDelivered } = options
    this.#options = options
    this.#statistics = new Statistics([network], clock, silentLog)
    this.#statistics.on('outcome', ({ outcome, latencyMs }) => {
      if (outcome === 'delivered') onDelivered(latencyMs)
    })
    this.#delivery = new Delivery({
      network,
      statistics: this.#statistics.forNetwork(network.name),
      outbox: new MemoryOutbox({ maxPending, maxBatch: network.maxBatch }),
      transport: server.connect(),
      maxPending,
      maxAgeMs,
      processes: options.knownProcesses,
      clock,
      random,
      log: silentLog,
    })
  }

  viewPage(impressions: readonly Impression[]): void {
    const trackedAtMs = this.#options.clock.now()
    for (const impression of impressions) this.#delivery.push({ ...impression, trackedAtMs })
  }

  /** Ends it as `close()` does: it sends what it may, and what is left after that is lost. */
  close(): void {
    this.#delivery.suspendPacing()
    this.#options.clock.after(CLOSE_TIMEOUT_MS, () => void this.#delivery.close())
  }

  stats(): NetworkStats {
    return this.#statistics.forNetwork(this.#options.network.name).snapshot()
  }
}
