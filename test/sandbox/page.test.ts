import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { launchChromium } from '../chromium.js'
import { CAMPAIGN, Caller, OFFER } from './caller.js'

describe("The sandbox's page", () => {
  let browser: Browser
  let page: Page
  let sandbox: Sandbox
  let caller: Caller
  let complaints: string[]

  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser?.close())
  beforeEach(async () => {
    sandbox = await startSandbox()
    caller = new Caller(sandbox)
    page = await browser.newPage()
    complaints = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(sandbox.url)
    await page.getByText('Live', { exact: true }).waitFor()
  })
  afterEach(async () => {
    await page.close()
    await caller.close()
    await sandbox.close()
  })

  const card = (name: 'ENS' | 'Closient') => page.getByRole('region', { name, exact: true })
  const latest = (name: 'ENS' | 'Closient') =>
    card(name).getByRole('table', { name: 'Latest impressions' })

  it('shows impressions of both networks as they arrive', async () => {
    await caller.ens({
      body: { campaignId: 4711, placement: 'sidebar', location: 'GB', device: 'tablet' },
    })
    await latest('ENS').getByRole('cell', { name: '4711' }).waitFor()
    for (const name of ['sidebar', 'GB', 'tablet']) {
      assert.equal(await latest('ENS').getByRole('cell', { name }).count(), 1)
    }
    const impressions = [{ campaign_id: CAMPAIGN, offer_id: OFFER }]
    await caller.closient({ body: { impressions, search_query: 'oat bars' } })
    await latest('Closient').getByRole('cell', { name: 'oat bars' }).waitFor()
    for (const name of [CAMPAIGN, OFFER]) {
      assert.equal(await latest('Closient').getByRole('cell', { name }).count(), 1)
    }
    assert.deepEqual(complaints, [])
  })

  it('shows calls, impressions, and how calls ended', async () => {
    await caller.ens()
    await caller.ens({ body: {} })
    const ends = card('ENS').getByRole('table', { name: 'How calls ended' })
    await ends.getByRole('row', { name: '400 1' }).waitFor()
    await ends.getByRole('row', { name: '200 1' }).waitFor()
    const figures = await card('ENS').locator('dd').allTextContents()
    assert.deepEqual(figures, ['1', '2', '1'])
  })

  it('shows the budget that is left in each window', async () => {
    sandbox.closient.spend(120)
    await card('Closient').getByText('180 of 300 a minute').waitFor()
    await card('Closient').getByText('9,880 of 10,000 a day').waitFor()
  })

  it('plots impressions a second, and says them to those who cannot see the plot', async () => {
    const flat = await page.locator('g[data-network=ens] .curve').getAttribute('d')
    for (let call = 0; call < 5; call += 1) await caller.ens()
    const plot = page.getByRole('img', { name: /ENS: \d+ now, [1-5] at most; Closient: 0 now/ })
    await plot.waitFor()
    assert.notEqual(await page.locator('g[data-network=ens] .curve').getAttribute('d'), flat)
  })

  it('shows hostile input as the text that it is', async () => {
    const placement = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    const search_query = '</td><svg onload=alert(1)>{{7*7}}'
    await caller.ens({ body: { campaignId: 1, placement } })
    await caller.closient({ body: { impressions: [{ campaign_id: CAMPAIGN }], search_query } })
    await latest('ENS').getByText(placement).waitFor()
    await latest('Closient').getByText(search_query).waitFor()
    assert.equal(await page.locator('img, td svg, td script').count(), 0)
    assert.equal(await page.title(), 'Ad network sandbox')
    assert.deepEqual(complaints, [])
  })

  it('runs no script but its own, even one that got into it', async () => {
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "taken over"'
      document.body.append(script)
    })
    assert.equal(await page.title(), 'Ad network sandbox')
    assert.match(complaints.join(), /Content Security Policy/)
  })

  it('sets a fault by a button, shows that it is set, and clears it by the same', async () => {
    const button = card('ENS').getByRole('button', { name: 'Answer 500' })
    await button.click()
    await card('ENS').getByRole('button', { name: 'Answer 500', pressed: true }).waitFor()
    await card('ENS').getByText('Set: answer 500').waitFor()
    assert.equal((await caller.ens()).status, 500)
    assert.equal((await caller.closient()).status, 200)
    await button.click()
    await card('ENS').getByRole('button', { name: 'Answer 500', pressed: false }).waitFor()
    assert.equal((await caller.ens()).status, 200)
    assert.deepEqual(complaints, [])
  })

  it('has only buttons that work', async () => {
    for (const name of ['ENS', 'Closient'] as const) {
      const network = name === 'ENS' ? sandbox.ens : sandbox.closient
      const buttons = card(name).locator('button[data-fault]')
      const count = await buttons.count()
      assert.ok(count >= 8)
      for (let index = 0; index < count; index += 1) {
        await buttons.nth(index).click()
        await card(name).locator(`button[data-fault][aria-pressed=true] >> nth=${index}`).waitFor()
      }
      assert.equal(network.faults.length, count)
      await card(name).getByRole('button', { name: 'Refuse connections' }).click()
      await card(name).getByText('connections are refused').waitFor()
      assert.equal(network.refusing, true)
      await card(name).getByRole('button', { name: 'Refuse connections' }).click()
      await card(name).getByRole('button', { name: 'Refuse connections', pressed: false }).waitFor()
      assert.equal(network.refusing, false)
    }
    await page.getByRole('button', { name: 'Spend 50 calls elsewhere' }).click()
    await card('Closient').getByText('250 of 300 a minute').waitFor()
    await page.getByRole('button', { name: 'Forget everything' }).click()
    await card('Closient').getByText('300 of 300 a minute').waitFor()
    assert.deepEqual(sandbox.ens.faults, [])
    assert.deepEqual(complaints, [])
  })

  it('shows a fault that was set elsewhere', async () => {
    sandbox.closient.fault({ status: 418 }, { times: 2 })
    await card('Closient').getByText('Set: status 418, 2 more calls').waitFor()
  })

  it('says that the sandbox has stopped', async () => {
    await sandbox.close()
    await page.getByText('The sandbox has stopped').waitFor()
  })

  it('fits a narrow screen, in a dark room too', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 360, height: 640 })
    await caller.closient({
      body: {
        impressions: [{ campaign_id: CAMPAIGN, offer_id: OFFER }],
        search_query: 'x'.repeat(200),
      },
    })
    await latest('Closient').getByRole('cell', { name: CAMPAIGN }).waitFor()
    const [wide, paper] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      getComputedStyle(document.body).backgroundColor,
    ])
    assert.equal(wide, 360)
    assert.equal(paper, 'rgb(18, 18, 17)')
  })

  it('loads nothing from anywhere', async () => {
    const answer = await fetch(sandbox.url)
    const html = await answer.text()
    assert.doesNotMatch(html, /(?:src|href)="(?!data:)/)
    assert.match(String(answer.headers.get('content-security-policy')), /^default-src 'none'; /)
  })
})
