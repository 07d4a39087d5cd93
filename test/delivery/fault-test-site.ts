import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Clock } from '../../lib/clock.js'
import { toShortuuid } from '../../lib/networks/shortuuid.js'
import type { Sandbox } from '../../lib/sandbox/sandbox.js'
import { assembleTracker } from '../../lib/tracker.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { OutcomeRecorder } from '../page-load/outcome-recorder.js'
import { createNetworks } from '../page-load/sandbox-networks.js'

/** A Closient campaign id for a number. Different numbers have different ids. */
function createShortuuid(value: number): string {
  const uuid = `00000000-0000-4000-8000-${value.toString(16).padStart(12, '0')}`
  const shortuuid = toShortuuid(uuid)
  assert(shortuuid)
  return shortuuid
}

/** Shared by all sites: a network may read a request of an earlier site late. */
let campaigns = 0

/**
 * A site that shows three ads of each network per page. Every ad belongs to a campaign of its own,
 * so that each impression can be identified.
 */
export async function startFaultTestSite(sandbox: Sandbox, clock: Clock, random: () => number) {
  const { methods, pageLoad } = assembleTracker(
    {
      networks: createNetworks(sandbox),
      delivery: { timeoutMs: 60_000 },
      traffic: { bots: 'count' },
      logger: createMemoryLogger([]),
    },
    { clock, random },
  )
  const recorder = new OutcomeRecorder(methods)

  function checkBalance(): void {
    recorder.assertStatsBalanced()
    for (const { pending, held } of Object.values(methods.stats())) {
      assert(pending >= 0 && held >= 0)
    }
  }

  const shownCampaigns = new Set<unknown>()
  const server = createServer((req, res) => {
    const trackImpression = pageLoad(req, res, req)
    for (let n = 0; n < 3; n += 1) {
      campaigns += 1
      const shortuuid = createShortuuid(campaigns)
      shownCampaigns.add(campaigns).add(shortuuid)
      trackImpression({ campaignId: campaigns, placement: 'header' })
      trackImpression({ campaignId: shortuuid })
      checkBalance()
    }
    res.end('a page')
  })
  await listenOnLoopback(server)
  const url = `http://127.0.0.1:${getPort(server)}`
  const viewers = new Agent({ connections: 8 })

  return {
    methods,
    outcomes: recorder.outcomes,
    shownCampaigns,
    checkBalance,
    /** Requests so many pages at the same time. */
    async view(pages: number): Promise<void> {
      const views = Array.from({ length: pages }, async () => {
        const { body } = await request(url, { dispatcher: viewers })
        await body.dump()
      })
      await Promise.all(views)
    },
    /** Resolves when nothing is pending. */
    async waitUntilIdle(): Promise<void> {
      const isPending = () => Object.values(methods.stats()).some(({ pending }) => pending > 0)
      do await delay(10)
      while (isPending())
    },
    async close(timeoutMs: number): Promise<void> {
      await viewers.close()
      server.close()
      await once(server, 'close')
      await methods.close({ timeoutMs })
    },
  }
}

export type FaultTestSite = Awaited<ReturnType<typeof startFaultTestSite>>
