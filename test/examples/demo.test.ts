import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../chromium.js'
import { BROWSER, received, Started, textOf } from './started.js'

const SITE = /Saltmarsh Courier +(http\S+)/
const SANDBOX = /networks see +(http\S+)/

describe('demo', () => {
  it('tells of each outcome as pages are viewed, and at Ctrl-C what it delivered', async () => {
    await using demo = new Started('demo')
    const site = await demo.line(SITE)
    const sandbox = await demo.line(SANDBOX)

    const response = await fetch(site, { headers: BROWSER })
    const text = textOf(await response.text())

    assert.equal(response.status, 200)
    assert.match(text, /5 impressions recorded by the server for this page load/)
    assert.match(
      text,
      /1 for ENS.* 4 for Closient.*One campaign stands here twice.*1 more for ENS once/,
    )
    assert.doesNotMatch(text, /undefined|\[object|=>/)
    await demo.matching(/ (?:ens|closient) +delivered /, 5)
    await demo.line(/ens +duplicate +2041 /)
    assert.equal((await received(sandbox, 'ens', 1)).length, 1)
    assert.equal((await received(sandbox, 'closient', 4)).length, 4)

    assert.equal(await demo.stop('SIGINT'), 0)
    assert.match(
      demo.lines.at(-1) ?? '',
      /^Stopped\. Delivered 5 of 6 impressions \(ENS 1, Closient 4\); 1 duplicate\.$/,
    )
  })

  it('prints one line for each outcome, its columns in line', async () => {
    await using demo = new Started('demo')
    const site = await demo.line(SITE)
    await (await fetch(`${site}/stories/night-ferry`, { headers: BROWSER })).text()
    const told = await demo.matching(/^\d\d:\d\d:\d\d .* HTTP 200$/, 3)
    const head = await demo.line(/^time .* reason$/)
    const column = head.indexOf('reason')
    assert.deepEqual(
      told.map((line) => line.slice(column)),
      Array(3).fill('HTTP 200'),
    )
    assert.equal(
      told.filter((line) => line.slice(head.indexOf('network')).startsWith('ens')).length,
      1,
    )
  })

  it('sends a search to Closient with its offers, and never its markup into the page', async () => {
    await using demo = new Started('demo')
    const site = await demo.line(SITE)
    const sandbox = await demo.line(SANDBOX)
    const query = 'bread <b>"&'

    const response = await fetch(`${site}/search?${new URLSearchParams({ q: query })}`, {
      headers: BROWSER,
    })
    const html = await response.text()

    assert.ok(!html.includes('<b>"&'))
    const arrived = await received(sandbox, 'closient', 2)
    assert.deepEqual(
      arrived.map(({ searchQuery }) => searchQuery),
      [query, query],
    )
  })

  it('counts nothing for a robot, and says so on the page', async () => {
    await using demo = new Started('demo')
    const site = await demo.line(SITE)
    const response = await fetch(site, { headers: { 'user-agent': 'curl/8.9.1' } })
    assert.match(textOf(await response.text()), /0 impressions recorded .* \(bot\)/)
    await demo.matching(/ suppressed .* bot$/, 7)
    assert.equal(await demo.stop('SIGINT'), 0)
    assert.match(demo.lines.at(-1) ?? '', /Delivered 0 of 7 .*; 7 suppressed\.$/)
  })

  it('never uses a key of the environment', async () => {
    await using demo = new Started('demo', {
      ENS_API_KEY: 'a-real-key',
      ENS_BASE_URL: 'http://127.0.0.1:9',
    })
    const site = await demo.line(SITE)
    await (await fetch(site, { headers: BROWSER })).text()
    await demo.matching(/ ens +delivered /, 1)
  })

  it('takes another port where the wanted one is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    assert.ok(typeof address === 'object' && address)
    try {
      await using demo = new Started('demo', { PORT: String(address.port) })
      const site = await demo.line(SITE)
      assert.notEqual(Number(new URL(site).port), address.port)
      assert.equal((await fetch(site, { headers: BROWSER })).status, 200)
    } finally {
      other.close()
    }
  })

  it('ends well when nobody reads its output any more', async () => {
    await using demo = new Started('demo')
    const site = await demo.line(SITE)
    demo.stopReading()
    const socket = connect(Number(new URL(site).port), '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\nHost: demo\r\nUser-Agent: curl/8\r\nConnection: close\r\n\r\n')
    socket.resume()
    assert.equal(await demo.exitCode(), 0)
  })

  describe('in a browser', () => {
    let browser: Browser
    before(async () => {
      browser = await launchChromium()
    })
    after(() => browser.close())

    it('loads nothing from elsewhere, runs one script and fits a phone', async () => {
      await using demo = new Started('demo')
      const site = await demo.line(SITE)
      const context = await browser.newContext({
        userAgent: BROWSER['user-agent'],
        viewport: { width: 360, height: 740 },
      })
      const page = await context.newPage()
      const elsewhere: string[] = []
      const complaints: string[] = []
      page.on('request', (request) => {
        if (!request.url().startsWith(site) && !request.url().startsWith('data:')) {
          elsewhere.push(request.url())
        }
      })
      page.on('console', (message) => complaints.push(message.text()))
      for (const path of ['/', '/stories/harbour-light', '/search?q=rain', '/nowhere']) {
        await page.goto(site + path)
        const width = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.equal(width, 360, `${path} is ${width} px wide`)
        assert.equal(await page.locator('script').count(), 1)
      }
      assert.deepEqual(elsewhere, [])
      // The browser itself remarks that /nowhere is a 404.
      assert.deepEqual(
        complaints.filter((text) => !text.includes('404')),
        [],
      )
    })

    it('counts the ad in a story once it has been read for a second', async () => {
      await using demo = new Started('demo')
      const site = await demo.line(SITE)
      const sandbox = await demo.line(SANDBOX)
      const context = await browser.newContext({ userAgent: BROWSER['user-agent'] })
      const page = await context.newPage()
      await page.goto(`${site}/stories/night-ferry`)
      assert.equal((await received(sandbox, 'ens', 1)).length, 1)
      await page.locator('.article_inline').scrollIntoViewIfNeeded()
      const [, seen] = await received(sandbox, 'ens', 2)
      assert.equal(seen?.placement, 'article_inline')
    })
  })
})
