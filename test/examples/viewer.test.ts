import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { buildTcString } from '../../examples/consent/banner.js'
import { launchChromium } from '../chromium.js'
import { BROWSER_HEADERS, NpmProgram, waitForImpressions } from './npm-program.js'

/** Starts an example. Returns it with the addresses that it prints. */
async function startExample(name: string) {
  const example = new NpmProgram(`example ${name}`)
  const sandbox = await example.waitForLine(/sandbox: (http\S+)/)
  const site = await example.waitForLine(/Listening on (http\S+)/)
  return { example, sandbox, site }
}

describe('The example maxmind', () => {
  it('sends the country of the address that the proxy reports, and none if it is unknown', async () => {
    const { example, sandbox, site } = await startExample('maxmind')
    await using _ = example
    const addresses = ['8.8.8.8', '::ffff:193.0.6.139', '2001:4860:4860::8888', '10.0.0.1', 'x', '']
    for (const address of addresses) {
      await fetch(site, { headers: { ...BROWSER_HEADERS, 'x-forwarded-for': address } })
    }
    const impressions = await waitForImpressions(sandbox, 'ens', addresses.length)
    const countries = impressions.map(({ location }) => location).filter(Boolean)
    assert.deepEqual(countries.sort(), ['NL', 'US', 'US'])
  })
})

describe('The example consent', () => {
  it('counts after consent in the banner, and not with Global Privacy Control', async () => {
    const { example, sandbox, site } = await startExample('consent')
    await using _ = example
    const response = await fetch(`${site}/consent/yes`, {
      method: 'POST',
      headers: BROWSER_HEADERS,
      redirect: 'manual',
    })
    const cookie = response.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    assert.equal(cookie, `euconsent-v2=${buildTcString()}`)

    await fetch(site, { headers: BROWSER_HEADERS })
    await fetch(site, { headers: { ...BROWSER_HEADERS, cookie, 'sec-gpc': '1' } })
    await fetch(site, {
      headers: { ...BROWSER_HEADERS, cookie: `euconsent-v2=${buildTcString([])}` },
    })
    await fetch(site, { headers: { ...BROWSER_HEADERS, cookie } })
    assert.equal((await waitForImpressions(sandbox, 'closient', 2)).length, 2)
    assert.equal((await waitForImpressions(sandbox, 'ens', 1)).length, 1)
  })
})

describe('The example htmx, in a browser,', () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser.close())

  it('counts each campaign of the page and its fetched stories once', async () => {
    const { example, sandbox, site } = await startExample('htmx')
    await using _ = example
    // The default User-Agent of headless Chromium would be detected as a bot.
    const context = await browser.newContext({ userAgent: BROWSER_HEADERS['user-agent'] })
    const page = await context.newPage()
    await page.goto(site)
    for (const number of [1, 2, 3, 4]) {
      await page.getByRole('heading', { name: `Story ${number}` }).waitFor({ state: 'attached' })
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    }
    assert.equal(await page.getByRole('img').count(), 5)
    await page.goto(`${site}/?again`)
    await page.getByRole('heading', { name: 'Story 1' }).waitFor({ state: 'attached' })

    const ens = await waitForImpressions(sandbox, 'ens', 2)
    const closient = await waitForImpressions(sandbox, 'closient', 6)
    assert.deepEqual(
      ens.map(({ campaignId }) => campaignId),
      [2041, 2041],
    )
    assert.equal(closient.length, 6)
    assert.equal(new Set(closient.map(({ campaignId }) => campaignId)).size, 3)
  })
})
