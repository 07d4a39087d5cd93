// A program: one process of a site whose processes share an outbox. Its parent is `RealFleet`.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import type { Outbox } from '../../../lib/delivery/outbox/outbox.js'
import { closient, createTracker, ens } from '../../../lib/index.js'
import { redisOutbox } from '../../../lib/redis/index.js'
import { type FleetRequest, type FleetSettings, formatClosientId } from './fleet-messages.js'

const settings: FleetSettings = JSON.parse(process.argv[2] ?? '{}')
const { engine, leaseMs, limits, networks } = settings

const logger = {
  debug: () => {},
  warn: () => {},
  error: (_fields: object, message: string) => send({ kind: 'error', message }),
}

const openOutbox =
  engine.kind === 'redis'
    ? redisOutbox({ client: new Redis(engine.url).on('error', () => {}), leaseMs })
    : (await import('../../../lib/lmdb/index.js')).lmdbOutbox({ path: engine.path, leaseMs })

const tracker = createTracker({
  networks: [
    ens({ apiKey: networks.ENS_API_KEY, baseUrl: networks.ENS_BASE_URL, ...limits.ens }),
    closient({
      apiKey: networks.CLOSIENT_API_KEY,
      baseUrl: networks.CLOSIENT_BASE_URL,
      ...limits.closient,
    }),
  ],
  outbox: (options) => reportStored(openOutbox(options)),
  logger,
})

tracker.on('outcome', ({ outcome, reason, network, campaignId }) => {
  if (outcome !== 'delivered') send({ kind: 'outcome', outcome, reason, network, campaignId })
})

/** A page `/FIRST/COUNT` displays one campaign of ENS, and COUNT - 1 of Closient. */
const server = createServer((req, res) => {
  const trackImpression = tracker.pageLoad(req, res)
  const [, first = 0, count = 0] = (req.url ?? '').split('/').map(Number)
  res.setHeader('content-type', 'text/html')
  trackImpression({ campaignId: first, placement: 'header' })
  for (let n = first + 1; n < first + count; n += 1) {
    trackImpression({ campaignId: formatClosientId(n) })
  }
  res.end('<html></html>')
})

/** Reports the impressions that the outbox has answered for, those of one step together. */
function reportStored(outbox: Outbox): Outbox {
  const append = outbox.append.bind(outbox)
  let campaignIds: (string | number)[] = []
  const report = () => {
    send({ kind: 'stored', campaignIds })
    campaignIds = []
  }
  outbox.append = async (impression) => {
    const receipt = await append(impression)
    if (campaignIds.push(impression.campaignId) === 1) setImmediate(report)
    return receipt
  }
  return outbox
}

function send(message: object): void {
  process.send?.(message)
}

process.on('message', async (request: FleetRequest) => {
  if (request === 'stats') send({ kind: 'stats', stats: tracker.stats() })
  else if (request === 'flush') {
    send({ kind: 'flushed', isFlushed: await tracker.flush({ timeoutMs: 5_000 }) })
  } else if (request === 'fleet-stats') {
    const stats = await tracker.fleetStats().catch(() => undefined)
    send({ kind: 'fleet-stats', stats })
  } else {
    const isClosed = await tracker.close({ timeoutMs: 30_000 })
    send({ kind: 'closed', isClosed, stats: tracker.stats() })
    process.exit(0)
  }
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  send({ kind: 'listening', port })
})
