/** The process of an hour of virtual time: `hour.js SINK_URL`, with `--expose-gc`. */
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { closient } from 'ad-impressions'
import { assembleTracker } from '../../dist/tracker.js'
import { exchange, finish } from '../call/exchange.js'
import { answerParent } from '../child.js'
import { closientInputOf } from '../contestants/ads.js'
import { liveBytes } from './heap.js'
import { SteppedClock } from './stepped-clock.js'

const [baseUrl = ''] = process.argv.slice(2)

const MINUTES = 60
const SAMPLE_MINUTES = 5
const IMPRESSIONS_A_PAGE = 3
const MAX_BATCH = 1_000

const answers = {
  /** Live bytes every five minutes of an hour, with so many page views a second. */
  async pass(pagesPerSecond: number): Promise<number[]> {
    const clock = new SteppedClock()
    const { methods, pageLoad } = assembleTracker(
      { networks: [closient({ apiKey: 'csb_bench', baseUrl })], requestId: () => randomUUID() },
      { clock },
    )
    const samples: number[] = []
    for (let second = 1; second <= MINUTES * 60; second += 1) {
      for (let page = 0; page < pagesPerSecond; page += 1) {
        const shown = exchange()
        const trackImpression = pageLoad(shown.req, shown.res, shown.req)
        for (let place = 1; place <= IMPRESSIONS_A_PAGE; place += 1) {
          trackImpression(closientInputOf(second * 10 + place))
        }
        finish(shown)
      }
      clock.step(1_000)
      await nextTurn()
      // Real answers take real time, which must not look like hours to this clock.
      while ((methods.stats().closient?.pending ?? 0) >= MAX_BATCH) await nextTurn()
      if (second % (SAMPLE_MINUTES * 60) === 0) samples.push(liveBytes())
    }
    await methods.close({ timeoutMs: 0 })
    return samples
  },
}

export type HourAnswers = typeof answers

answerParent(answers)
