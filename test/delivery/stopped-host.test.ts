import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ens } from '../../lib/networks/ens.js'
import { createTracker, type Tracker } from '../../lib/tracker.js'
import { ensAd } from '../page-load/campaigns.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { StoppedHost } from './stopped-host.js'

/** undici rounds long timers up: it aborts the connection attempt later than the call. */
const TIMEOUT_MS = 2_000

function createTrackerFor(host: StoppedHost, connections: number): Tracker {
  return createTracker({
    networks: [ens({ apiKey: 'key', baseUrl: host.url, connections })],
    delivery: { timeoutMs: TIMEOUT_MS },
    logger: createMemoryLogger([]),
  })
}

/** Tracks an ad in a page load whose socket is not connected. */
function track(tracker: Tracker, campaignId: number): void {
  const req = Object.assign(new IncomingMessage(new Socket()), {
    method: 'GET',
    headers: BROWSER_HEADERS,
  })
  tracker.pageLoad(req, new ServerResponse(req))(ensAd(campaignId))
}

/** The sockets of this process. Each keeps it alive. */
const countSockets = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

async function closeAfter(attemptMs: number, connections: number): Promise<void> {
  await using host = await StoppedHost.start()
  const tracker = createTrackerFor(host, connections)
  for (let campaignId = 1; campaignId <= 5; campaignId += 1) track(tracker, campaignId)
  await sleep(attemptMs)

  assert.equal(await tracker.close({ timeoutMs: 0 }), false)

  const stats = tracker.stats().ens
  assert.deepEqual(omitZeros(stats), { tracked: 5, dropped: 5 })
  host.resume()
  await sleep(500)
  assert.equal(host.requests, 0)
  assert.deepEqual(tracker.stats().ens, stats)
}

describe('close(), with a host that accepts no connections', () => {
  for (const attemptMs of [50, TIMEOUT_MS + 100, TIMEOUT_MS + 1_400]) {
    it(`gives each impression its outcome after ${attemptMs} ms, and nothing is sent later`, async () => {
      await Promise.all([closeAfter(attemptMs, 1), closeAfter(attemptMs, 3)])
    })
  }

  it('leaves no socket that is still connecting', async () => {
    await using host = await StoppedHost.start()
    const before = countSockets()
    const tracker = createTrackerFor(host, 2)
    for (let campaignId = 1; campaignId <= 5; campaignId += 1) track(tracker, campaignId)
    await sleep(50)
    assert.ok(countSockets() > before)

    await tracker.close({ timeoutMs: 0 })

    await sleep(10)
    assert.equal(countSockets(), before)
  })
})
