import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { tcString } from '../../examples/consent/banner.js'
import { launchChromium } from '../chromium.js'
import { BROWSER, received, Started } from './started.js'

/** An example, with the addresses that it prints. */
async function start(name: string) {
  const example = new Started(`example ${name}`)
  const sandbox = await example.line(/sandbox: (http\S+)/)
  const site = await example.line(/served at (http\S+)/)
  return { example, sandbox, site }
}

describe('the example maxmind', () => {
  it('tells the country of the viewer whom a proxy names, and none where it is not known', async () => {
    const { example, sandbox, site } = await start('maxmind')
    await using _ = example
    const addresses = ['8.8.8.8', '::ffff:193.0.6.139', '2001:4860:4860::8888', '10.0.0.1', 'x', '']
    for (const address of addresses) {
      await fetch(site, { headers: { ...BROWSER, 'x-forwarded-for': address } })
    }
    const impressions = await received(sandbox, 'ens', addresses.length)
    const countries = impressions.map(({ location }) => location).filter(Boolean)
    assert.deepEqual(countries.sort(), ['NL', 'US', 'US'])
  })
})

describe('the example consent', () => {
  it('counts once the banner was answered with yes, and not against Global Privacy Control', async () => {
    const { example, sandbox, site } = await start('consent')
    await using _ = example
    const answer = await fetch(`${site}/consent/yes`, {
      method: 'POST',
      headers: BROWSER,
      redirect: 'manual',
    })
    const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    assert.equal(cookie, `euconsent-v2=${tcString()}`)

    await fetch(site, { headers: BROWSER })
    await fetch(site, { headers: { ...BROWSER, cookie, 'sec-gpc': '1' } })
    await fetch(site, { headers: { ...BROWSER, cookie: `euconsent-v2=${tcString([])}` } })
    await fetch(site, { headers: { ...BROWSER, cookie } })
    assert.equal((await received(sandbox, 'closient', 2)).length, 2)
    assert.equal((await received(sandbox, 'ens', 1)).length, 1)
  })
})

describe('the example htmx, in a browser', () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser.close())

  it('counts what the page and the stories that it fetches show, each campaign once', async () => {
    const { example, sandbox, site } = await start('htmx')
    await using _ = example
    // Headless Chromium says so, and is taken for the robot that it is.
    const context = await browser.newContext({ userAgent: BROWSER['user-agent'] })
    const page = await context.newPage()
    await page.goto(site)
    for (const number of [1, 2, 3, 4]) {
      await page.getByRole('heading', { name: `Story ${number}` }).waitFor({ state: 'attached' })
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    }
    assert.equal(await page.getByRole('img').count(), 5)
    await page.goto(`${site}/?again`)
    await page.getByRole('heading', { name: 'Story 1' }).waitFor({ state: 'attached' })

    const ens = await received(sandbox, 'ens', 2)
    const closient = await received(sandbox, 'closient', 6)
    assert.deepEqual(
      ens.map(({ campaignId }) => campaignId),
      [2041, 2041],
    )
    assert.equal(closient.length, 6)
    assert.equal(new Set(closient.map(({ campaignId }) => campaignId)).size, 3)
  })
})
