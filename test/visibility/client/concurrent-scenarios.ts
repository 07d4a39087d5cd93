import type { Browser } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT } from '../../request/ad-site.js'
import { BackgroundRun, startRuns } from './background-run.js'
import { ClientTestSite, type RenderPage } from './client-test-site.js'
import { TestPage, type TestPageOptions } from './test-page.js'

/** What a scenario works with: a site, and browser windows that are all visible at once. */
export interface ScenarioContext {
  readonly site: ClientTestSite
  open(render: RenderPage, options?: TestPageOptions): Promise<TestPage>
  /** Opens the page in a browser context of its own, with a separate network connection. */
  openInOwnContext(render: RenderPage, options?: TestPageOptions): Promise<TestPage>
}

/** Scenarios by the title of their test. */
export type ClientScenarios = Readonly<Record<string, (context: ScenarioContext) => Promise<void>>>

export const VIEWPORT = { width: 1_000, height: 700 } as const

/** A small machine runs this many at once without dropping frames. */
const MAX_CONCURRENT = 12
/** On a busy machine a scenario may have to wait for others. */
const TEST_TIMEOUT_MS = 90_000

/**
 * Declares a test for each scenario. They mostly wait for time to pass, so they run concurrently, and
 * each test waits for the result of its own. The script knows nothing of the framework: one is enough.
 */
export function testConcurrently(scenarios: ClientScenarios): void {
  const runs = new Map<string, BackgroundRun>()
  let browser: Browser
  let site: ClientTestSite

  before(async () => {
    browser = await launchChromium({ args: [`--user-agent=${CHROME_USER_AGENT}`] })
    site = await ClientTestSite.start('Express 5')
    const newContext = () => browser.newContext({ viewport: VIEWPORT })
    const context = await newContext()
    const open: ScenarioContext['open'] = (render, options) =>
      TestPage.open(site, context, render, options)
    const openInOwnContext: ScenarioContext['open'] = async (render, options) =>
      TestPage.open(site, await newContext(), render, options)
    for (const [name, play] of Object.entries(scenarios)) {
      runs.set(name, new BackgroundRun(() => play({ site, open, openInOwnContext })))
    }
    startRuns([...runs.values()], MAX_CONCURRENT)
  })
  after(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
  })

  for (const name of Object.keys(scenarios)) {
    it(name, () => runs.get(name)?.finished).timeout(TEST_TIMEOUT_MS)
  }
}
