/** The process of one burst: `burst-process.js CONTESTANT SINK_URL`. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTracker, type Stats } from 'ad-impressions'
import { createExchange, type Exchange, finishResponse } from '../call/exchange.js'
import { getContestant } from '../contestants/contestants.js'
import { serveParent } from '../rpc-child.js'

const [name, sinkUrl = ''] = process.argv.slice(2)
const start = await getContestant(name).load()
const { networks, track, createInput, close } = start(sinkUrl)
const tracker = networks && createTracker({ networks })

const IMPRESSIONS_PER_PAGE = 50
/** As if so many sockets had become readable at once. */
const PAGES_PER_TURN = 5
/** How much longer than its timeout `close` may take. */
const CLOSE_MARGIN_MS = 500

export interface BurstFigures {
  /** `undefined` for contestants that keep no figures. */
  readonly stats: Stats | undefined
  /** The longest time for which the event loop was blocked. */
  readonly maxEventLoopDelayMs: number
  /** The resident memory before the burst. */
  readonly memoryBeforeMb: number
  /** The largest resident memory of the process so far. */
  readonly peakMemoryMb: number
}

interface BurstOptions {
  readonly impressions: number
  /** How long to deliver afterwards. */
  readonly closeMs: number
}

const methods = {
  async runBurst({ impressions, closeMs }: BurstOptions): Promise<BurstFigures> {
    const pages = Array.from({ length: Math.ceil(impressions / IMPRESSIONS_PER_PAGE) }, () =>
      createExchange(),
    )
    const memoryBeforeMb = process.memoryUsage.rss() / 1e6
    // Creating the pages must not count as blocking the event loop.
    await nextTurn()
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    for (const [page, exchange] of pages.entries()) {
      displayPage(exchange, 1 + page * IMPRESSIONS_PER_PAGE)
      if (page % PAGES_PER_TURN === PAGES_PER_TURN - 1) await nextTurn()
    }
    const timeout = new Promise((resolve) => setTimeout(resolve, closeMs + CLOSE_MARGIN_MS))
    const closed = tracker ? tracker.close({ timeoutMs: closeMs }) : close?.(closeMs)
    await Promise.race([closed, timeout])
    delay.disable()
    return {
      stats: tracker?.stats(),
      maxEventLoopDelayMs: delay.max / 1e6,
      memoryBeforeMb,
      peakMemoryMb: process.resourceUsage().maxRSS / 1e3,
    }
  },
}

function displayPage(exchange: Exchange, firstCampaign: number): void {
  const trackImpression = tracker ? tracker.pageLoad(exchange.req, exchange.res) : track
  for (let slot = 0; slot < IMPRESSIONS_PER_PAGE; slot += 1) {
    trackImpression?.(createInput(firstCampaign + slot) as never)
  }
  finishResponse(exchange)
}

export type BurstMethods = typeof methods

serveParent(methods)
