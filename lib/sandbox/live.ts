import type { ServerResponse } from 'node:http'
import type { ClosientNetwork } from './closient-network.js'
import type { EnsShown } from './ens.js'
import { ImpressionRate } from './impression-rate.js'
import type { ServedNetwork } from './network.js'

const PLOTTED_SECONDS = 121
const LATEST = 12
const SHORTEST_GAP_MS = 250
const LONGEST_GAP_MS = 1000
const LONGEST_TEXT = 120

export interface Networks {
  readonly ens: ServedNetwork<EnsShown>
  readonly closient: ClosientNetwork
}

/**
 * Tells the page, by Server-Sent Events, how things stand: the whole state each time, so that a
 * page that was away for a while needs nothing but the next event. While nobody looks, nothing runs.
 */
export class Live {
  readonly #networks: Networks
  readonly #now: () => number
  readonly #rates = {
    ens: new ImpressionRate(PLOTTED_SECONDS),
    closient: new ImpressionRate(PLOTTED_SECONDS),
  }
  readonly #viewers = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #changed = false
  #sentAt = 0

  constructor(networks: Networks, now: () => number) {
    this.#networks = networks
    this.#now = now
    for (const name of ['ens', 'closient'] as const) {
      networks[name].on('impression', () => this.#rates[name].add())
      networks[name].on('end', () => this.changed())
      networks[name].on('connection-reset', () => this.changed())
    }
  }

  /** Sends the state soon, rather than at the next second. */
  changed(): void {
    this.#changed = true
  }

  /** Sends the state now: somebody did something and waits to see it done. */
  show(): void {
    this.#changed = true
    this.#tick()
  }

  /** Forgets the plot. */
  reset(): void {
    this.#rates.ens.clear()
    this.#rates.closient.clear()
    this.changed()
  }

  watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(this.#event())
    this.#viewers.add(response)
    this.#timer ??= setInterval(() => this.#tick(), SHORTEST_GAP_MS).unref()
    response.once('close', () => {
      this.#viewers.delete(response)
      if (this.#viewers.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
  }

  #tick(): void {
    if (this.#viewers.size === 0) return
    const now = performance.now()
    if (!this.#changed && now - this.#sentAt < LONGEST_GAP_MS) return
    this.#changed = false
    this.#sentAt = now
    const event = this.#event()
    for (const viewer of this.#viewers) {
      // A viewer that does not keep up misses states, not the latest one.
      if (!viewer.writableNeedDrain) viewer.write(event)
    }
  }

  #event(): string {
    const { ens, closient } = this.#networks
    const now = this.#now()
    const budget = closient.budget.map(({ limit, windowMs, remaining, resetsAt }) => {
      return { limit, windowMs, remaining, resetsInMs: resetsAt - now }
    })
    const state = {
      ens: { ...stateOf(ens), budget: [], perSecond: this.#rates.ens.perSecond() },
      closient: { ...stateOf(closient), budget, perSecond: this.#rates.closient.perSecond() },
    }
    return `data: ${JSON.stringify(state)}\n\n`
  }
}

function stateOf<Shown extends object>(network: ServedNetwork<Shown>) {
  const { totals, refusing } = network
  const faults = network.faults.map(({ id, fault, left }) => {
    return { id, fault, left: Number.isFinite(left) ? left : null }
  })
  const latest = network.ledger.impressions(LATEST).reverse()
  return { totals, refusing, faults, latest: latest.map(shortened) }
}

function shortened(impression: object): object {
  const entries = Object.entries(impression).map(([name, value]) => {
    const long = typeof value === 'string' && value.length > LONGEST_TEXT
    return [name, long ? `${value.slice(0, LONGEST_TEXT)}…` : value]
  })
  return Object.fromEntries(entries)
}
