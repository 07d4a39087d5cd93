import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT, FRAMEWORKS } from '../../request/ad-site.js'

import { ClientTestSite } from './client-test-site.js'
import { VIEWPORT } from './concurrent-scenarios.js'
import { TestPage } from './test-page.js'

const ADS = 200
const LONG_TASK_MS = 50

interface TraceEvent {
  readonly name: string
  /** CPU time of the thread in µs: unlike wall-clock time, it does not include other processes. */
  readonly tdur?: number
  readonly args: { readonly data?: { readonly url?: string } }
}

/** The longest uninterrupted task of the client script in the page's main thread. */
function findLongestTaskMs(trace: Buffer): number {
  const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(trace.toString())
  const durationsMs = traceEvents
    .filter(({ args }) => args.data?.url?.includes('/client.js'))
    .filter(({ name }) => ['EvaluateScript', 'FunctionCall'].includes(name))
    .map(({ tdur = Number.NaN }) => tdur / 1_000)
  assert.ok(durationsMs.length > 0)
  return Math.max(...durationsMs)
}

describe(`a page with ${ADS} ads`, () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium({ args: [`--user-agent=${CHROME_USER_AGENT}`] })
  })
  after(() => browser.close())

  for (const framework of FRAMEWORKS) {
    it(`counts each of them, in two reports and without a long task, with ${framework}`, async () => {
      await using site = await ClientTestSite.start(framework)
      const context = await browser.newContext({ viewport: VIEWPORT })
      const names = Array.from({ length: ADS }, (_, index) => `ad-${index + 100}`)
      const style = 'float:left;width:38px;height:50px'
      const page = await TestPage.open(site, context, () => '', { flushesContinuously: false })
      const path = site.serve(({ ad }) => names.map((name) => ad(name, { style })).join(''))
      const reports = site.recordReports(path)
      await browser.startTracing(page.tab, { categories: ['devtools.timeline'] })
      await page.tab.goto(`${site.origin}${path}`)
      await site.waitUntilCounted(path, ...names)
      const longestMs = findLongestTaskMs(await browser.stopTracing())
      await context.close()
      assert.ok(longestMs < LONG_TASK_MS, `${longestMs} ms`)
      assert.equal(reports.length, 2)
      assert.deepEqual(site.counted(path), names)
    })
  }
})
