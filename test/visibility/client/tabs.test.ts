import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { type BrowserWindow, openBrowserWindow } from './browser-window.js'
import { ClientTestSite } from './client-test-site.js'
import { FIXED_IN_CORNER, TestPage, template } from './test-page.js'

/** Resolves once the tab has this visibility. */
async function waitForVisibility(tab: Page, state: DocumentVisibilityState): Promise<void> {
  await tab.waitForFunction((expected) => document.visibilityState === expected, state, {
    // The default, animation frames, does not work in a hidden tab.
    polling: 50,
  })
}

type TabScenario = (window: BrowserWindow, site: ClientTestSite) => Promise<void>

const SCENARIOS: Readonly<Record<string, TabScenario>> = {
  async 'does not count in a hidden tab, and counts a full second after the tab is shown'(
    window,
    site,
  ) {
    const behind = await TestPage.open(site, window.tabs, ({ ad }) => template('ad', ad('ad')))
    const inFront = await TestPage.open(site, window.tabs, ({ ad }) =>
      template('witness', ad('witness')),
    )
    await waitForVisibility(behind.tab, 'hidden')
    await behind.insert('ad')
    await inFront.waitForWitness('witness')
    assert.deepEqual(behind.counted, [])
    const shownAtMs = performance.now()
    await behind.tab.bringToFront()
    await behind.waitUntilCounted('ad')
    assert.ok(performance.now() - shownAtMs >= 1_000)
  },

  async 'needs a new full second after its tab was hidden and shown again'(window, site) {
    const page = await TestPage.open(site, window.tabs, ({ ad }) => template('ad', ad('ad')))
    const inFront = await TestPage.open(site, window.tabs, ({ ad }) =>
      template('witness', ad('witness')),
    )
    // If the machine was so slow that the ad was visible for a second, try again.
    for (let shownMs = Number.POSITIVE_INFINITY; shownMs >= 1_000; ) {
      await page.tab.bringToFront()
      await page.load()
      const shownAtMs = await page.tab.evaluate(() => {
        document.addEventListener('visibilitychange', ({ timeStamp }) => {
          document.body.dataset.hiddenAtMs = `${timeStamp}`
        })
        return performance.now()
      })
      await page.insert('ad')
      await page.tab.waitForTimeout(300)
      await inFront.tab.bringToFront()
      await waitForVisibility(page.tab, 'hidden')
      const hiddenAtMs = await page.tab.getAttribute('body', 'data-hidden-at-ms')
      shownMs = Number(hiddenAtMs) - shownAtMs
    }
    await inFront.waitForWitness('witness')
    assert.deepEqual(page.counted, [])
    const shownAtMs = performance.now()
    await page.tab.bringToFront()
    await page.waitUntilCounted('ad')
    assert.ok(performance.now() - shownAtMs >= 1_000)
  },

  async 'is reported as soon as its tab is hidden'(window, site) {
    const [other] = window.tabs.pages()
    // If the machine was so slow that the ad was reported before its tab was hidden, try again.
    for (let mode = 'cors'; mode === 'cors'; ) {
      const page = await TestPage.open(site, window.tabs, ({ ad }) => ad('ad'), {
        flushesContinuously: false,
      })
      const isViewable = await page.waitUntilViewable('ad')
      await other?.bringToFront()
      if (!isViewable) continue
      await page.waitUntilCounted('ad')
      await page.waitUntilDelivered()
      assert.deepEqual(site.outcomes(page.path), ['ad delivered'])
      assert.equal(page.reports.length, 1)
      mode = page.reports[0] ?? ''
    }
  },

  async 'keeps its state when its page is left and restored from the back/forward cache'(
    window,
    site,
  ) {
    const page = await TestPage.open(
      site,
      window.tabs,
      ({ ad }) =>
        `${ad('seen')}<div style="height:2000px"></div>${ad('unseen')}<div style="height:900px"></div>` +
        template('witness', ad('witness', { style: FIXED_IN_CORNER })),
    )
    const elsewhere = site.serve(() => 'another page', { hasScript: false })
    await page.waitUntilCounted('seen')
    await page.tab.evaluate(() => document.body.setAttribute('data-restored', ''))
    await page.tab.goto(`${site.origin}${elsewhere}`)
    await page.tab.goBack({ waitUntil: 'commit' })
    assert.equal(await page.tab.locator('body[data-restored]').count(), 1)
    await page.waitForWitness('witness')
    assert.deepEqual(site.outcomes(page.path), ['seen delivered', 'witness delivered'])
    await page.scrollTo('unseen')
    await page.waitUntilCounted('unseen')
    await page.waitUntilDelivered()
    assert.deepEqual(site.outcomes(page.path), [
      'seen delivered',
      'unseen delivered',
      'witness delivered',
    ])
  },

  async 'counts on a prerendered page only after the page is activated'(window, site) {
    const purposes: unknown[] = []
    const next = site.serve(({ ad, req }) => {
      purposes.push(req.headers['sec-purpose'])
      return ad('ad')
    })
    const page = await TestPage.open(
      site,
      window.tabs,
      ({ ad }) =>
        `<script type="speculationrules">
             {"prerender": [{"urls": ["${next}"], "eagerness": "immediate"}]}
           </script><a href="${next}">next</a>${template('witness', ad('witness'))}`,
    )
    const reports = site.recordReports(next)
    while (purposes.length === 0) await page.tab.waitForTimeout(50)
    await page.waitForWitness('witness')
    assert.deepEqual(purposes, ['prefetch;prerender'])
    assert.deepEqual([site.counted(next), reports], [[], []])
    const activatedAtMs = performance.now()
    await page.tab.click('a')
    await site.waitUntilCounted(next, 'ad')
    assert.ok(performance.now() - activatedAtMs >= 1_000)
    // The tab shows the prerendered page; it did not request the page again.
    assert.equal(purposes.length, 1)
  },
}

// Only one tab of a window is visible at a time, so the scenarios run one after the other.
describe('an ad in a browser window with several tabs', () => {
  let site: ClientTestSite
  let window: BrowserWindow

  before(async () => {
    site = await ClientTestSite.start('Koa 3')
    window = await openBrowserWindow()
  })
  after(async () => {
    await window?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
  })

  for (const [name, play] of Object.entries(SCENARIOS)) {
    it(name, () => play(window, site)).timeout(90_000)
  }
})
