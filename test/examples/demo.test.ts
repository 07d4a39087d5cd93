import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../chromium.js'
import { withoutAddress } from '../docs-address.js'
import { BROWSER_HEADERS, extractText, NpmProgram, waitForImpressions } from './npm-program.js'

const SITE = /Saltmarsh Courier +(http\S+)/
const SANDBOX = /networks receive +(http\S+)/

describe('The demo', () => {
  it('prints each outcome as pages are viewed, and a summary on Ctrl-C', async () => {
    await using demo = new NpmProgram('demo')
    const site = await demo.waitForLine(SITE)
    const sandbox = await demo.waitForLine(SANDBOX)

    const response = await fetch(site, { headers: BROWSER_HEADERS })
    const text = extractText(await response.text())

    assert.equal(response.status, 200)
    assert.match(text, /Advertisement ENS pending /)
    assert.match(text, /Advertisement ENS waiting until seen /)
    assert.equal(text.match(/Closient pending /g)?.length, 4)
    assert.match(text, /ENS duplicate this campaign has already counted in this page load/)
    assert.doesNotMatch(text, /undefined|\[object|=>/)
    await demo.waitForLines(/ (?:ens|closient) +delivered /, 5)
    await demo.waitForLine(/ens +duplicate +2041 /)
    assert.equal((await waitForImpressions(sandbox, 'ens', 1)).length, 1)
    assert.equal((await waitForImpressions(sandbox, 'closient', 4)).length, 4)

    assert.equal(await demo.stop('SIGINT'), 0)
    assert.match(
      demo.lines.at(-1) ?? '',
      /^Stopped\. Delivered 5 of 6 impressions \(ENS 1, Closient 4\); 1 duplicate\.$/,
    )
  })

  it('prints one line for each outcome, with aligned columns', async () => {
    await using demo = new NpmProgram('demo')
    const site = await demo.waitForLine(SITE)
    await (await fetch(`${site}/stories/night-ferry`, { headers: BROWSER_HEADERS })).text()
    const lines = await demo.waitForLines(/^\d\d:\d\d:\d\d .* http-200: /, 3)
    const header = await demo.waitForLine(/^time .* reason$/)
    const column = header.indexOf('reason')
    assert.deepEqual(
      lines.map((line) => withoutAddress(line.slice(column))),
      Array(3).fill('http-200: the network accepted it'),
    )
    assert.equal(
      lines.filter((line) => line.slice(header.indexOf('network')).startsWith('ens')).length,
      1,
    )
  })

  it('sends a search query with its offers to Closient and escapes it in the page', async () => {
    await using demo = new NpmProgram('demo')
    const site = await demo.waitForLine(SITE)
    const sandbox = await demo.waitForLine(SANDBOX)
    const query = 'bread <b>"&'

    const response = await fetch(`${site}/search?${new URLSearchParams({ q: query })}`, {
      headers: BROWSER_HEADERS,
    })
    const html = await response.text()

    assert.ok(!html.includes('<b>"&'))
    const impressions = await waitForImpressions(sandbox, 'closient', 2)
    assert.deepEqual(
      impressions.map(({ searchQuery }) => searchQuery),
      [query, query],
    )
  })

  it('counts nothing for a bot and shows that on the page', async () => {
    await using demo = new NpmProgram('demo')
    const site = await demo.waitForLine(SITE)
    const response = await fetch(site, { headers: { 'user-agent': 'curl/8.9.1' } })
    const text = extractText(await response.text())
    assert.equal(text.match(/not counted the request looks like a bot/g)?.length, 7)
    await demo.waitForLines(/ suppressed .* bot: /, 7)
    assert.equal(await demo.stop('SIGINT'), 0)
    assert.match(demo.lines.at(-1) ?? '', /Delivered 0 of 7 .*; 7 suppressed\.$/)
  })

  it('never uses a key from the environment', async () => {
    await using demo = new NpmProgram('demo', {
      ENS_API_KEY: 'a-real-key',
      ENS_BASE_URL: 'http://127.0.0.1:9',
    })
    const site = await demo.waitForLine(SITE)
    await (await fetch(site, { headers: BROWSER_HEADERS })).text()
    await demo.waitForLines(/ ens +delivered /, 1)
  })

  it('uses another port if the selected one is taken', async () => {
    const otherServer = createServer().listen(0, '127.0.0.1')
    await once(otherServer, 'listening')
    const address = otherServer.address()
    assert.ok(typeof address === 'object' && address)
    try {
      await using demo = new NpmProgram('demo', { PORT: String(address.port) })
      const site = await demo.waitForLine(SITE)
      assert.notEqual(Number(new URL(site).port), address.port)
      assert.equal((await fetch(site, { headers: BROWSER_HEADERS })).status, 200)
    } finally {
      otherServer.close()
    }
  })

  it('exits normally if its output is no longer read', async () => {
    await using demo = new NpmProgram('demo')
    const site = await demo.waitForLine(SITE)
    demo.closeOutput()
    const socket = connect(Number(new URL(site).port), '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\nHost: demo\r\nUser-Agent: curl/8\r\nConnection: close\r\n\r\n')
    socket.resume()
    assert.equal(await demo.waitForExit(), 0)
  })

  describe('in a browser', () => {
    let browser: Browser
    /** For the tests that change nothing in it. */
    let sharedDemo: NpmProgram
    before(async () => {
      sharedDemo = new NpmProgram('demo')
      browser = await launchChromium()
    })
    after(async () => {
      await browser.close()
      await sharedDemo[Symbol.asyncDispose]()
    })

    async function openPage(site: string, path: string) {
      const context = await browser.newContext({ userAgent: BROWSER_HEADERS['user-agent'] })
      const page = await context.newPage()
      const consoleMessages: string[] = []
      page.on('console', (message) => consoleMessages.push(message.text()))
      page.on('pageerror', (error) => consoleMessages.push(error.message))
      await page.goto(site + path)
      return { page, consoleMessages }
    }

    it('loads nothing from elsewhere, runs its two scripts and fits a phone', async () => {
      const site = await sharedDemo.waitForLine(SITE)
      const context = await browser.newContext({
        userAgent: BROWSER_HEADERS['user-agent'],
        viewport: { width: 360, height: 740 },
      })
      const page = await context.newPage()
      const foreignUrls: string[] = []
      const consoleMessages: string[] = []
      page.on('request', (request) => {
        if (!request.url().startsWith(site) && !request.url().startsWith('data:')) {
          foreignUrls.push(request.url())
        }
      })
      page.on('console', (message) => consoleMessages.push(message.text()))
      for (const path of ['/', '/stories/harbour-light', '/search?q=rain', '/nowhere']) {
        await page.goto(site + path)
        const width = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.equal(width, 360, `${path} is ${width} px wide`)
        assert.equal(await page.locator('script').count(), 2)
      }
      assert.deepEqual(foreignUrls, [])
      // The browser logs that /nowhere is a 404.
      assert.deepEqual(
        consoleMessages.filter((text) => !text.includes('404')),
        [],
      )
    })

    it('shows on each ad what the server has counted, as it happens', async () => {
      const site = await sharedDemo.waitForLine(SITE)
      const { page, consoleMessages } = await openPage(site, '/stories/night-ferry')
      const badges = page.locator('.badge')
      await badges.nth(3).getByText('delivered').waitFor()
      await page.getByText('On this page: 3 delivered, 1 waiting until seen.').waitFor()
      assert.deepEqual(await badges.allTextContents(), [
        'ENS delivered ',
        'ENS waiting until seen ',
        'Closient delivered ',
        'Closient delivered ',
      ])

      const inline = page.locator('.article_inline')
      await inline.scrollIntoViewIfNeeded()
      await inline.getByText('delivered').waitFor()
      await page.getByText('On this page: 4 delivered.').waitFor()
      assert.deepEqual(consoleMessages, [])
    })

    it('shows why an ad did not count', async () => {
      await using demo = new NpmProgram('demo')
      const site = await demo.waitForLine(SITE)
      const sandbox = await demo.waitForLine(SANDBOX)
      const fault = {
        status: 200,
        body: { status: 'error', message: '<img src=x>' },
        counts: false,
      }
      await fetch(`${sandbox}/sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ network: 'ens', fault }),
      })
      const { page, consoleMessages } = await openPage(site, '/')
      const banner = page.locator('.header_banner .badge')
      await banner.getByText('rejected').waitFor()
      assert.match((await banner.textContent()) ?? '', /<img src=x>/)
      const footer = page.locator('.footer_banner .badge')
      assert.match((await footer.textContent()) ?? '', /^ENS duplicate this campaign/)
      assert.equal(await page.locator('img').count(), 0)
      assert.deepEqual(consoleMessages, [])
    })

    it('follows a page again after it was in the background, and stops at once', async () => {
      await using demo = new NpmProgram('demo')
      const site = await demo.waitForLine(SITE)
      const { page } = await openPage(site, '/stories/night-ferry')
      await page.getByText('3 delivered').waitFor()
      await setVisibility(page, 'hidden')
      await setVisibility(page, 'visible')
      await page.locator('.article_inline').scrollIntoViewIfNeeded()
      await page.getByText('On this page: 4 delivered.').waitFor()
      await page.goto(`${site}/stories/harbour-light`)
      await page.getByText('1 waiting until seen').waitFor()
      assert.equal(await demo.stop('SIGINT'), 0)
    })

    it('shows the outcomes of no other page load', async () => {
      const site = await sharedDemo.waitForLine(SITE)
      assert.equal((await fetch(`${site}/outcomes/unknown`)).status, 404)
    })

    it('counts the ad in a story once it was visible for a second', async () => {
      await using demo = new NpmProgram('demo')
      const site = await demo.waitForLine(SITE)
      const sandbox = await demo.waitForLine(SANDBOX)
      const context = await browser.newContext({ userAgent: BROWSER_HEADERS['user-agent'] })
      const page = await context.newPage()
      await page.goto(`${site}/stories/night-ferry`)
      assert.equal((await waitForImpressions(sandbox, 'ens', 1)).length, 1)
      await page.locator('.article_inline').scrollIntoViewIfNeeded()
      const [, visible] = await waitForImpressions(sandbox, 'ens', 2)
      assert.equal(visible?.placement, 'article_inline')
    })
  })
})

/** Makes the page believe that it is in the background, or back. */
async function setVisibility(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true })
    Object.defineProperty(document, 'hidden', { value: value === 'hidden', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}
