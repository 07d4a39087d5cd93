import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT, FRAMEWORKS } from '../../request/ad-site.js'
import { Publisher } from './publisher.js'
import { Reader } from './reader.js'
import { VIEWPORT } from './scenes.js'

const ADS = 200
const LONG_TASK_MS = 50

interface TraceEvent {
  readonly name: string
  /** The time that the thread worked, in µs: what else the machine does is not in it. */
  readonly tdur?: number
  readonly args: { readonly data?: { readonly url?: string } }
}

/** The longest that the page's thread ever worked for the script without a break. */
function longestWorkMs(trace: Buffer): number {
  const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(trace.toString())
  const worked = traceEvents
    .filter(({ args }) => args.data?.url?.includes('/client.js'))
    .filter(({ name }) => ['EvaluateScript', 'FunctionCall'].includes(name))
    .map(({ tdur = Number.NaN }) => tdur / 1_000)
  assert.ok(worked.length > 0)
  return Math.max(...worked)
}

describe(`a page of ${ADS} ads`, () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium({ args: [`--user-agent=${CHROME_USER_AGENT}`] })
  })
  after(() => browser.close())

  for (const framework of FRAMEWORKS) {
    it(`counts each, in two reports, without a long task, from ${framework}`, async () => {
      await using publisher = await Publisher.start(framework)
      const context = await browser.newContext({ viewport: VIEWPORT })
      const names = Array.from({ length: ADS }, (_, index) => `ad-${index + 100}`)
      const style = 'float:left;width:38px;height:50px'
      const reader = await Reader.open(publisher, context, () => '', { isHasty: false })
      const path = publisher.serve(({ ad }) => names.map((name) => ad(name, { style })).join(''))
      const reports = publisher.reports(path)
      await browser.startTracing(reader.tab, { categories: ['devtools.timeline'] })
      await reader.tab.goto(`${publisher.origin}${path}`)
      await publisher.counts(path, ...names)
      const longestMs = longestWorkMs(await browser.stopTracing())
      await context.close()
      assert.ok(longestMs < LONG_TASK_MS, `${longestMs} ms`)
      assert.equal(reports.length, 2)
      assert.deepEqual(publisher.counted(path), names)
    })
  }
})
