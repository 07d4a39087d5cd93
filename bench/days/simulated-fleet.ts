import type { NetworkStats } from '../../lib/counting/statistics.js'
import type { Impression } from '../../lib/impression.js'
import { SimulatedProcess, type SimulatedProcessOptions } from './simulated-process.js'

export interface SimulatedFleetOptions extends SimulatedProcessOptions {
  readonly processes: number
  /** Each process is restarted after so many minutes, one after the other; 0: never. */
  readonly restartMinutes: number
}

/** The publisher's processes. A load balancer gives each page view to any of them. */
export class SimulatedFleet {
  readonly #options: SimulatedFleetOptions
  readonly #running: SimulatedProcess[]
  readonly #closed: SimulatedProcess[] = []

  /** @param durationMs how long processes are restarted */
  constructor(options: SimulatedFleetOptions, durationMs: number) {
    const { processes, restartMinutes, clock } = options
    this.#options = options
    this.#running = Array.from({ length: processes }, () => new SimulatedProcess(options))
    const lifeMs = restartMinutes * 60_000
    if (lifeMs === 0) return
    for (let index = 0; index < processes; index += 1) {
      const firstMs = (lifeMs * (index + 1)) / processes
      for (let atMs = firstMs; atMs < durationMs; atMs += lifeMs) {
        clock.after(atMs, () => this.#restart(index))
      }
    }
  }

  viewPage(impressions: readonly Impression[]): void {
    const { processes, random } = this.#options
    const index = processes === 1 ? 0 : Math.floor(random() * processes)
    this.#running[index]?.viewPage(impressions)
  }

  /**
   * The sums over all processes.
   *
   * @throws unless the figures balance and agree with what the network has counted
   */
  finish(): Pick<NetworkStats, 'tracked' | 'delivered'> {
    const total = { tracked: 0, delivered: 0, uncertain: 0 }
    for (const process of [...this.#closed, ...this.#running]) {
      const { tracked, delivered, pending, dropped, rejected, uncertain } = process.stats()
      if (tracked !== pending + delivered + dropped + rejected + uncertain) {
        throw new Error('the figures do not balance')
      }
      total.tracked += tracked
      total.delivered += delivered
      total.uncertain += uncertain
    }
    const { impressions } = this.#options.server
    if (impressions < total.delivered || impressions > total.delivered + total.uncertain) {
      throw new Error(`${total.delivered} impressions delivered, but ${impressions} counted`)
    }
    return total
  }

  /** The new process takes over before the old one closes, as in a rolling deployment. */
  #restart(index: number): void {
    const old = this.#running[index]
    this.#running[index] = new SimulatedProcess(this.#options)
    if (!old) return
    this.#closed.push(old)
    old.close()
  }
}
