import assert from 'node:assert/strict'
import type { Browser, Locator, Page } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import type { FrameworkPage } from '../../frameworks/framework.js'
import { closientAd, ensAd } from '../../page-load/campaigns.js'
import type { VisibleSite } from '../../visibility/visible-site.js'
import { INSPECTOR, startInspectedSite } from './inspected-site.js'
import { findLowContrast } from './low-contrast.js'

/** WCAG 2.2, 1.4.3. */
const MIN_CONTRAST = 4.5

/** Markup that runs if it is inserted as HTML, in one way or another. */
const HOSTILE = [
  '<script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '"><svg onload=window.hacked=1>',
  "' onmouseover='window.hacked=1' autofocus onfocus='window.hacked=1",
  '<iframe srcdoc="<script>parent.hacked=1</script>">',
  '</script><script>window.hacked=1</script>',
  '<!--<style>*{display:none}</style>',
  '{{constructor.constructor("window.hacked=1")()}}',
  'javascript:window.hacked=1',
] as const

const mixedPage: FrameworkPage = ({ trackImpression, req, answer }) => {
  trackImpression(ensAd())
  trackImpression(ensAd())
  if (req.url?.includes('closient')) trackImpression(closientAd())
  answer('a page')
}

const hostilePage: FrameworkPage = ({ trackImpression, answer }) => {
  HOSTILE.forEach((text, index) => {
    trackImpression({ campaignId: index + 1, placement: text })
    const input = { campaignId: text, offerId: text, placement: text, network: 'ens' }
    Reflect.apply(trackImpression, undefined, [input])
  })
  answer('a page')
}

describe("the inspector's page", () => {
  let browser: Browser
  let page: Page
  let messages: string[]

  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser?.close())
  beforeEach(async () => {
    page = await browser.newPage()
    messages = []
    page.on('console', (message) => messages.push(message.text()))
    page.on('pageerror', (error) => messages.push(error.message))
    page.on('dialog', (dialog) => messages.push(dialog.message()))
  })
  afterEach(() => page.close())

  const open = async (site: VisibleSite) => {
    await page.goto(`http://127.0.0.1:${site.port}${INSPECTOR}`)
    await page.getByText('Live', { exact: true }).waitFor()
  }

  it('shows page loads and outcomes as they happen', async () => {
    await using site = await startInspectedSite({ page: mixedPage })
    await open(site)
    await page.getByText('No request has reached the middleware yet').waitFor()

    await site.request('/news?q=1')

    const table = page.getByRole('table', { name: 'GET /news' })
    const row = table.getByRole('row', { name: 'ens 42' })
    await row.nth(1).waitFor()
    assert.deepEqual(await readSteps(row.first()), Array(5).fill('✓ passed'))
    assert.match(await row.first().innerText(), /delivered/)
    assert.deepEqual(await readSteps(row.nth(1)), [
      '✓ passed',
      '✓ passed',
      '✕ stopped',
      '– not reached',
      '– not reached',
    ])
    assert.match(await row.nth(1).innerText(), /duplicate\s+already-counted: this campaign/)
    await page.getByRole('listitem').getByText('delivered 1').waitFor()
    assert.equal(await page.locator('svg rect.delivered').count(), 1)
    assert.deepEqual(messages, [])
  })

  it('runs nothing of hostile campaign ids, placements, offers and paths', async () => {
    await using site = await startInspectedSite({ page: hostilePage })
    for (const text of HOSTILE) await site.request(`/${text.replace(/\s/g, '/')}`)
    await open(site)
    await page.getByText('<script>window.hacked = 1</script>').first().waitFor()
    await page.mouse.move(200, 600)
    await page.mouse.wheel(0, 400)

    const found = await page.evaluate(() => ({
      hacked: Reflect.get(window, 'hacked'),
      elements: document.querySelectorAll(
        'main img, main iframe, main script, main style, svg [onload]',
      ).length,
      handlers: [...document.querySelectorAll('*')].flatMap((element) =>
        element.getAttributeNames().filter((name) => name.startsWith('on')),
      ),
    }))

    assert.deepEqual(found, { hacked: undefined, elements: 0, handlers: [] })
    assert.deepEqual(messages, [])
  })

  it('may run no script but its own, even if one gets into the page', async () => {
    await using site = await startInspectedSite()
    await open(site)
    await page.evaluate(() => {
      try {
        document.body.innerHTML += '<img src=x onerror="window.hacked = 1">'
      } catch {
        // Trusted Types refuse it.
      }
      const script = document.createElement('script')
      try {
        script.textContent = 'window.hacked = 1'
        document.body.append(script)
      } catch {
        // Refused as well.
      }
    })
    assert.equal(await page.evaluate(() => Reflect.get(window, 'hacked')), undefined)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a screen of 360 pixels and has enough contrast in the ${colorScheme} scheme`, async () => {
      await using site = await startInspectedSite({
        page(visit) {
          visit.trackImpression({ campaignId: 7, placement: 'x'.repeat(200) })
          return mixedPage(visit)
        },
      })
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width: 360, height: 640 })
      await site.request(`/closient/${'long'.repeat(100)}`)
      await site.request('/bot', { 'user-agent': 'curl/8.0' })
      await site.waitForOutcomes(7)
      await open(site)
      await page.getByText('suppressed', { exact: true }).first().waitFor()

      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360)
      assert.deepEqual(await page.evaluate(findLowContrast, MIN_CONTRAST), [])
    })
  }

  it('keeps the roles of its tables on a phone', async () => {
    await using site = await startInspectedSite({ page: mixedPage })
    await page.setViewportSize({ width: 360, height: 640 })
    await site.request('/news')
    await open(site)
    const table = page.getByRole('table', { name: 'GET /news' })
    await table.getByRole('rowheader', { name: 'ens 42' }).first().waitFor()
    assert.deepEqual(await table.getByRole('columnheader').allTextContents(), [
      'impression',
      'parse',
      'admit',
      'dedupe',
      'send',
      'verdict',
      'outcome and reason',
    ])
  })

  it('can be used with the keyboard: pause, and hide what was delivered', async () => {
    await using site = await startInspectedSite({
      page({ trackImpression, req, answer }) {
        trackImpression(ensAd())
        if (req.url === '/twice') trackImpression(ensAd())
        answer('a page')
      },
    })
    await site.request('/twice')
    await site.request('/once')
    await site.waitForOutcomes(3)
    await open(site)
    await page.getByRole('table', { name: 'GET /once' }).waitFor()

    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    assert.equal(await page.getByRole('button', { name: 'Pause', pressed: true }).count(), 1)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')

    await page.getByRole('table', { name: 'GET /once' }).waitFor({ state: 'hidden' })
    assert.equal(await page.getByRole('row', { name: 'ens 42' }).count(), 1)
    await page.getByText('Paused').waitFor()
  })

  it('says when the server does not answer, and goes on when it does', async () => {
    await using site = await startInspectedSite()
    await open(site)
    await page.route('**/*?data', (route) => route.abort())
    await page.getByText('The server does not answer').waitFor()
    await page.unroute('**/*?data')
    await page.getByText('Live', { exact: true }).waitFor()
  })

  it('does not poll while nobody looks', async () => {
    await using site = await startInspectedSite()
    await page.addInitScript(() => {
      Object.defineProperty(document, 'hidden', { value: true })
    })
    let polls = 0
    page.on('request', (request) => {
      if (request.url().endsWith('?data')) polls += 1
    })
    await page.clock.install()
    await page.goto(`http://127.0.0.1:${site.port}${INSPECTOR}`)
    await page.clock.runFor(10_000)
    assert.equal(polls, 0)
  })
})

/** What the cells of the five steps show: a mark, and its meaning for screen readers. */
async function readSteps(row: Locator): Promise<string[]> {
  const texts = await row.getByRole('cell').allInnerTexts()
  return texts.slice(0, 5).map((text) => text.trim().replace(/\s+/g, ' '))
}
