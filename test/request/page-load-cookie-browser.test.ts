import assert from 'node:assert/strict'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium } from '../chromium.js'
import { AdSite, CHROME_USER_AGENT, listCampaignIds, renderAdsByPath } from './ad-site.js'

describe('the page-load cookie, in a browser', () => {
  let browser: Browser
  let site: AdSite
  let context: BrowserContext
  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser.close())
  beforeEach(async () => {
    site = await AdSite.start({
      options: { pageLoadCookie: true },
      page: (visit) => {
        visit.res.setHeader('content-type', 'text/html')
        if (visit.req.url !== '/favicon.ico') renderAdsByPath(visit)
        return '<!doctype html><link rel="icon" href="data:,"><p>page</p>'
      },
    })
    context = await browser.newContext({ userAgent: CHROME_USER_AGENT })
  })
  afterEach(async () => {
    await context.close()
    await site[Symbol.asyncDispose]()
  })

  it('makes fetches, XHRs and iframes of the page part of its page load', async () => {
    const page = await context.newPage()
    await page.goto(`${site.url}/1`)
    await page.evaluate(async () => {
      await fetch('/1/2')
      await new Promise((resolve) => {
        const xhr = new XMLHttpRequest()
        xhr.open('GET', '/1/2/3')
        xhr.onload = resolve
        xhr.send()
      })
      await new Promise((resolve) => {
        const frame = document.createElement('iframe')
        frame.src = '/1/2/3/4'
        frame.onload = resolve
        document.body.append(frame)
      })
    })
    await site.waitForOutcomes(10)
    assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 2, 3, 4])
    assert.equal(listCampaignIds(site, 'duplicate').length, 6)
  })

  it('is not readable by scripts, and expires with the session', async () => {
    const page = await context.newPage()
    await page.goto(`${site.url}/1`)
    assert.equal(await page.evaluate(() => document.cookie), '')
    const [cookie, ...others] = await context.cookies()
    assert.deepEqual(others, [])
    const { name, httpOnly, sameSite, expires, path } = cookie ?? {}
    assert.deepEqual(
      [name, httpOnly, sameSite, expires, path],
      ['ad-page-load', true, 'Lax', -1, '/'],
    )
  })

  it('starts a new page load with each visit and reload', async () => {
    const page = await context.newPage()
    await page.goto(`${site.url}/1`)
    await page.reload()
    await page.evaluate(() => fetch('/1'))
    await site.waitForOutcomes(3)
    assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1])
  })

  it('assigns the fragments of two tabs by the addresses of their pages', async () => {
    const [first, second] = [await context.newPage(), await context.newPage()]
    await first.goto(`${site.url}/news/1`)
    await second.goto(`${site.url}/sport/2`)
    await first.evaluate(() => fetch('/1'))
    await first.evaluate(() => fetch('/2'))
    await second.evaluate(() => fetch('/1'))
    await second.evaluate(() => fetch('/2'))
    await site.waitForOutcomes(6)
    assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1, 2, 2])
  })
})
