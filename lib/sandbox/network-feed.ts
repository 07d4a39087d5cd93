import { EventRate } from './event-rate.js'
import type { ServedNetwork } from './network.js'
import type { CampaignFields } from './network-rules.js'
import type { SandboxCall } from './sandbox-call.js'

const CHART_SECONDS = 121
const LATEST = 12
const MAX_CAMPAIGNS = 3
const MAX_TEXT_LENGTH = 120

/** What the page shows of one network. */
export class NetworkFeed {
  readonly name: string
  readonly #network: ServedNetwork<CampaignFields>
  readonly #impressions = new EventRate(CHART_SECONDS)
  readonly #failures = new EventRate(CHART_SECONDS)

  constructor(name: string, network: ServedNetwork<CampaignFields>) {
    this.name = name
    this.#network = network
    network.on('impression', () => this.#impressions.add())
    network.on('connection-reset', () => this.#failures.add())
    network.on('end', (call: SandboxCall) => {
      if (isFailure(call)) this.#failures.add()
    })
  }

  /** Clears the chart. */
  reset(): void {
    this.#impressions.clear()
    this.#failures.clear()
  }

  describe(nowMs: number): object {
    const { totals, refusing, faults, budget, ledger } = this.#network
    return {
      totals,
      refusing,
      faults: faults.map(({ left, ...set }) => {
        return { ...set, left: Number.isFinite(left) ? left : null }
      }),
      budget: budget.map(({ limit, windowMs, remaining, resetsAt }) => {
        return { limit, windowMs, remaining, resetsInMs: resetsAt - nowMs }
      }),
      calls: ledger.calls(LATEST).reverse().map(summarizeCall),
      latest: ledger.impressions(LATEST).reverse().map(truncateFields),
      impressionsPerSecond: this.#impressions.listPerSecond(),
      failuresPerSecond: this.#failures.listPerSecond(),
    }
  }
}

function isFailure({ end, status }: SandboxCall): boolean {
  return end !== 'answered' || status === null || status < 200 || status > 299
}

function summarizeCall(call: SandboxCall): object {
  const { id, at, authorization, status, end, campaigns, counted } = call
  const [method, path] = [truncate(call.method), truncate(call.path)]
  const listed = campaigns.slice(0, MAX_CAMPAIGNS).map(truncate)
  const carried = campaigns.length
  return { id, at, method, path, authorization, status, end, carried, listed, counted }
}

function truncateFields(impression: object): object {
  const fields = Object.entries(impression).map(([name, value]) => [name, truncate(value)])
  return Object.fromEntries(fields)
}

function truncate(value: unknown): unknown {
  const isLong = typeof value === 'string' && value.length > MAX_TEXT_LENGTH
  return isLong ? `${value.slice(0, MAX_TEXT_LENGTH)}…` : value
}
