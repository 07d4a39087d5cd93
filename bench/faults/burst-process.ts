/** The process of one burst: `burst-process.js CONTESTANT SINK_URL`. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTracker, type Stats } from 'ad-impressions'
import { type Exchange, exchange, finish } from '../call/exchange.js'
import { answerParent } from '../child.js'
import { contestantOf } from '../contestants/contestants.js'

const [name, sinkUrl = ''] = process.argv.slice(2)
const start = await contestantOf(name).load()
const { networks, track, inputOf, close } = start(sinkUrl)
const tracker = networks && createTracker({ networks })

const IMPRESSIONS_A_PAGE = 50
/** As when as many sockets have become readable at once. */
const PAGES_A_TURN = 5

export interface Burst {
  readonly stats: Stats | undefined
  /** The longest time for which the event loop was held. */
  readonly heldMs: number
  /** The process's largest resident memory so far, and before the burst. */
  readonly peakMb: number
  readonly beforeMb: number
}

const answers = {
  /** Pages of fifty impressions, five a turn of the event loop; then `closeMs` to deliver them. */
  async burst({ impressions, closeMs }: { impressions: number; closeMs: number }): Promise<Burst> {
    const pages = Array.from({ length: Math.ceil(impressions / IMPRESSIONS_A_PAGE) }, () =>
      exchange(),
    )
    const beforeMb = process.memoryUsage.rss() / 1e6
    // A turn of its own, or to have made the pages would count as having held the event loop.
    await nextTurn()
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    for (const [page, shown] of pages.entries()) {
      displayPage(shown, 1 + page * IMPRESSIONS_A_PAGE)
      if (page % PAGES_A_TURN === PAGES_A_TURN - 1) await nextTurn()
    }
    const patience = new Promise((resolve) => setTimeout(resolve, closeMs + 500))
    const closed = tracker ? tracker.close({ timeoutMs: closeMs }) : close?.(closeMs)
    await Promise.race([closed, patience])
    delay.disable()
    return {
      stats: tracker?.stats(),
      heldMs: delay.max / 1e6,
      peakMb: process.resourceUsage().maxRSS / 1e3,
      beforeMb,
    }
  },
}

function displayPage(page: Exchange, first: number): void {
  const trackImpression = tracker ? tracker.pageLoad(page.req, page.res) : track
  for (let place = 0; place < IMPRESSIONS_A_PAGE; place += 1) {
    trackImpression?.(inputOf(first + place) as never)
  }
  finish(page)
}

export type BurstAnswers = typeof answers

answerParent(answers)
