/** One process of a fleet: `fleet-process.js ENGINE PLACE NETWORK SINK_URL LEASE_MS`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { closient, createTracker, ens } from 'ad-impressions'
import { lmdbOutbox } from 'ad-impressions/lmdb'
import { redisOutbox } from 'ad-impressions/redis'
import { Redis } from 'ioredis'
import { createExchange, finishResponse } from '../call/exchange.js'
import { createClosientInput, createEnsInput } from '../contestants/impression-inputs.js'
import { serveParent } from '../rpc-child.js'

const [engine, place = '', network = '', baseUrl = '', lease] = process.argv.slice(2)
const leaseMs = Number(lease)
const apiKey = 'bench-key'
const isEns = network === 'ens'
const createInput = isEns ? createEnsInput : createClosientInput

function openOutbox() {
  if (engine === 'lmdb') return lmdbOutbox({ path: place, leaseMs })
  if (engine === 'redis') return redisOutbox({ client: new Redis(place), leaseMs })
  return undefined
}

const tracker = createTracker({
  enabled: engine !== 'disabled',
  networks: [isEns ? ens({ apiKey, baseUrl }) : closient({ apiKey, baseUrl })],
  outbox: openOutbox(),
})

function displayPage(impressions: number): void {
  const exchange = createExchange()
  const trackImpression = tracker.pageLoad(exchange.req, exchange.res)
  for (let n = 1; n <= impressions; n += 1) trackImpression(createInput(n))
  finishResponse(exchange)
}

async function countPending(): Promise<number> {
  return (await tracker.fleetStats())[network]?.pending ?? 0
}

const methods = {
  /** Displays pages at once, and resolves when this process has nothing left to do for them. */
  async deliver({ pages, impressions }: { pages: number; impressions: number }): Promise<void> {
    for (let page = 0; page < pages; page += 1) {
      displayPage(impressions)
      if (page % 20 === 19) await sleep(0)
    }
    await tracker.flush({ timeoutMs: 60_000 })
  },
  /** Displays one page per millisecond or so, and measures the CPU time until all is delivered. */
  async measureCpu({
    pages,
    impressions,
  }: {
    pages: number
    impressions: number
  }): Promise<number> {
    const cpu = process.cpuUsage()
    for (let page = 0; page < pages; page += 1) {
      displayPage(impressions)
      await sleep(2)
    }
    await tracker.flush({ timeoutMs: 60_000 })
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / pages
  },
  /** Displays pages whose impressions cannot be delivered yet, and resolves when they are stored. */
  async store({ pages, impressions }: { pages: number; impressions: number }): Promise<void> {
    for (let page = 0; page < pages; page += 1) displayPage(impressions)
    await sleep(1) // their responses finish
    while ((await countPending()) < pages * impressions) await sleep(10)
  },
  /** Resolves when the fleet has nothing pending. */
  async waitUntilDelivered(): Promise<void> {
    while ((await countPending()) > 0) await sleep(5)
  },
}

export type FleetMethods = typeof methods

serveParent(methods)
