import type { ServerResponse } from 'node:http'
import type { ClosientNetwork } from './closient-network.js'
import type { EnsFields } from './ens-rules.js'
import { ImpressionRate } from './impression-rate.js'
import type { ServedNetwork } from './network.js'
import type { CampaignFields } from './network-rules.js'

const CHART_SECONDS = 121
const LATEST_IMPRESSIONS = 12
const MIN_INTERVAL_MS = 250
const MAX_INTERVAL_MS = 1000
const MAX_TEXT_LENGTH = 120

export interface SandboxNetworks {
  readonly ens: ServedNetwork<EnsFields>
  readonly closient: ClosientNetwork
}

/**
 * Sends the state of both networks to the open pages, as Server-Sent Events. Each event is the
 * whole state, so a page that was disconnected only needs the next one. No timer runs while no page
 * is open.
 */
export class LiveUpdates {
  readonly #networks: SandboxNetworks
  readonly #now: () => number
  readonly #rates = {
    ens: new ImpressionRate(CHART_SECONDS),
    closient: new ImpressionRate(CHART_SECONDS),
  }
  readonly #pages = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #hasChanged = false
  #sentAtMs = 0

  constructor(networks: SandboxNetworks, now: () => number) {
    this.#networks = networks
    this.#now = now
    for (const name of ['ens', 'closient'] as const) {
      networks[name].on('impression', () => this.#rates[name].add())
      networks[name].on('end', () => this.#markChanged())
      networks[name].on('connection-reset', () => this.#markChanged())
    }
  }

  /** Sends the state at once, so that a user sees the effect of an action. */
  sendNow(): void {
    this.#markChanged()
    this.#sendIfDue()
  }

  /** Clears the chart. */
  reset(): void {
    this.#rates.ens.clear()
    this.#rates.closient.clear()
    this.#markChanged()
  }

  addPage(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(this.#buildEvent())
    this.#pages.add(response)
    this.#timer ??= setInterval(() => this.#sendIfDue(), MIN_INTERVAL_MS).unref()
    response.once('close', () => {
      this.#pages.delete(response)
      if (this.#pages.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
  }

  /** The next tick sends the state, instead of waiting for `MAX_INTERVAL_MS` to pass. */
  #markChanged(): void {
    this.#hasChanged = true
  }

  #sendIfDue(): void {
    if (this.#pages.size === 0) return
    const nowMs = performance.now()
    if (!this.#hasChanged && nowMs - this.#sentAtMs < MAX_INTERVAL_MS) return
    this.#hasChanged = false
    this.#sentAtMs = nowMs
    const event = this.#buildEvent()
    for (const page of this.#pages) {
      // A slow page skips states; the next event brings it up to date.
      if (!page.writableNeedDrain) page.write(event)
    }
  }

  #buildEvent(): string {
    const { ens, closient } = this.#networks
    const nowMs = this.#now()
    const budget = closient.budget.map(({ limit, windowMs, remaining, resetsAt }) => {
      return { limit, windowMs, remaining, resetsInMs: resetsAt - nowMs }
    })
    const { ens: ensRate, closient: closientRate } = this.#rates
    const state = {
      ens: { ...describeNetwork(ens), budget: [], perSecond: ensRate.listPerSecond() },
      closient: { ...describeNetwork(closient), budget, perSecond: closientRate.listPerSecond() },
    }
    return `data: ${JSON.stringify(state)}\n\n`
  }
}

function describeNetwork<Fields extends CampaignFields>(network: ServedNetwork<Fields>) {
  const { totals, refusing } = network
  const faults = network.faults.map(({ id, fault, left }) => {
    return { id, fault, left: Number.isFinite(left) ? left : null }
  })
  const latest = network.ledger.impressions(LATEST_IMPRESSIONS).reverse()
  return { totals, refusing, faults, latest: latest.map(truncateTexts) }
}

function truncateTexts(impression: object): object {
  const entries = Object.entries(impression).map(([name, value]) => {
    const isLong = typeof value === 'string' && value.length > MAX_TEXT_LENGTH
    return [name, isLong ? `${value.slice(0, MAX_TEXT_LENGTH)}…` : value]
  })
  return Object.fromEntries(entries)
}
