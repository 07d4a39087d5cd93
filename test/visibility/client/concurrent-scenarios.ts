import type { Browser } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT, FRAMEWORKS, type FrameworkName } from '../../request/ad-site.js'

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
 * Declares a test for each scenario with each framework. The scenarios mostly wait for time to pass,
 * so they run concurrently, and each test waits for the result of its own.
 */
export function testConcurrently(scenarios: ClientScenarios): void {
  const runs = new Map<string, BackgroundRun>()
  let browser: Browser
  const sites: ClientTestSite[] = []

  before(async () => {
    browser = await launchChromium({ args: [`--user-agent=${CHROME_USER_AGENT}`] })
    for (const framework of FRAMEWORKS) {
      const site = await ClientTestSite.start(framework)
      const newContext = () => browser.newContext({ viewport: VIEWPORT })
      const context = await newContext()
      sites.push(site)
      const open: ScenarioContext['open'] = (render, options) =>
        TestPage.open(site, context, render, options)
      const openInOwnContext: ScenarioContext['open'] = async (render, options) =>
        TestPage.open(site, await newContext(), render, options)
      for (const [name, play] of Object.entries(scenarios)) {
        const run = new BackgroundRun(() => play({ site, open, openInOwnContext }))
        runs.set(formatKey(framework, name), run)
      }
    }
    startRuns([...runs.values()], MAX_CONCURRENT)
  })
  after(async () => {
    await browser?.close()
    for (const site of sites) await site[Symbol.asyncDispose]()
  })

  for (const framework of FRAMEWORKS) {
    describe(`on a page from ${framework}`, () => {
      for (const name of Object.keys(scenarios)) {
        it(name, () => runs.get(formatKey(framework, name))?.finished).timeout(TEST_TIMEOUT_MS)
      }
    })
  }
}

function formatKey(framework: FrameworkName, name: string): string {
  return `${framework}: ${name}`
}
