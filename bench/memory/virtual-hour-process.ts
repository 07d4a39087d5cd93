/** Runs an hour of virtual time: `virtual-hour-process.js SINK_URL`, with `--expose-gc`. */
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { closient } from 'ad-impressions'
import { assembleTracker } from '../../dist/tracker.js'
import { createExchange, finishResponse } from '../call/exchange.js'
import { createClosientInput } from '../contestants/impression-inputs.js'
import { serveParent } from '../rpc-child.js'
import { measureLiveBytes } from './live-bytes.js'
import { SteppedClock } from './stepped-clock.js'

const [baseUrl = ''] = process.argv.slice(2)

const MINUTES = 60
const SAMPLE_MINUTES = 5
const IMPRESSIONS_PER_PAGE = 3
const MAX_BATCH = 1_000

const methods = {
  /** Returns the live bytes at every fifth minute. */
  async run(pagesPerSecond: number): Promise<number[]> {
    const clock = new SteppedClock()
    const tracker = assembleTracker(
      { networks: [closient({ apiKey: 'csb_bench', baseUrl })], requestId: () => randomUUID() },
      { clock },
    )
    const samples: number[] = []
    for (let second = 1; second <= MINUTES * 60; second += 1) {
      for (let page = 0; page < pagesPerSecond; page += 1) displayPage(tracker, second * 10)
      clock.step(1_000)
      await nextTurn()
      // Answers take real time. Without this wait, they would take hours of virtual time.
      while ((tracker.methods.stats().closient?.pending ?? 0) >= MAX_BATCH) await nextTurn()
      if (second % (SAMPLE_MINUTES * 60) === 0) samples.push(measureLiveBytes())
    }
    await tracker.methods.close({ timeoutMs: 0 })
    return samples
  },
}

function displayPage({ pageLoad }: ReturnType<typeof assembleTracker>, campaignBase: number): void {
  const exchange = createExchange()
  const trackImpression = pageLoad(exchange.req, exchange.res, exchange.req)
  for (let slot = 1; slot <= IMPRESSIONS_PER_PAGE; slot += 1) {
    trackImpression(createClosientInput(campaignBase + slot))
  }
  finishResponse(exchange)
}

export type VirtualHourMethods = typeof methods

serveParent(methods)
