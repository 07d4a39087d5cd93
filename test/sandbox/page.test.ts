import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { type CustomRequest, type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { launchChromium } from '../chromium.js'
import { CAMPAIGN, Caller, OFFER } from './caller.js'

type Panel = 'ENS' | 'Closient' | 'acme'

describe("The sandbox's page", () => {
  let browser: Browser
  let page: Page
  let sandbox: Sandbox<'acme'>
  let caller: Caller
  let consoleMessages: string[]

  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser?.close())
  beforeEach(async () => {
    sandbox = await startSandbox({ networks: { acme: { path: '/v1/views', verdict: countViews } } })
    caller = new Caller(sandbox)
    page = await browser.newPage()
    consoleMessages = []
    page.on('console', (message) => consoleMessages.push(message.text()))
    page.on('pageerror', (error) => consoleMessages.push(error.message))
    await page.goto(sandbox.url)
    await page.getByText('Live', { exact: true }).waitFor()
  })
  afterEach(async () => {
    await page.close()
    await caller.close()
    await sandbox.close()
  })

  const findCard = (name: Panel) => page.getByRole('region', { name, exact: true })
  const findLatest = (name: Panel) =>
    findCard(name).getByRole('table', { name: 'Latest impressions' })

  const findCalls = (name: Panel) => findCard(name).getByRole('table', { name: 'Latest calls' })

  it('shows impressions of both networks as they arrive', async () => {
    await caller.ens({
      body: { campaignId: 4711, placement: 'sidebar', location: 'GB', device: 'tablet' },
    })
    await findLatest('ENS').getByRole('cell', { name: '4711' }).waitFor()
    for (const name of ['sidebar', 'GB', 'tablet']) {
      assert.equal(await findLatest('ENS').getByRole('cell', { name }).count(), 1)
    }
    const impressions = [{ campaign_id: CAMPAIGN, offer_id: OFFER }]
    await caller.closient({ body: { impressions, search_query: 'oat bars' } })
    await findLatest('Closient').getByRole('cell', { name: 'oat bars' }).waitFor()
    for (const name of [CAMPAIGN, OFFER]) {
      assert.equal(await findLatest('Closient').getByRole('cell', { name }).count(), 1)
    }
    assert.deepEqual(consoleMessages, [])
  })

  it('shows calls, impressions and how calls ended', async () => {
    await caller.ens()
    await caller.ens({ body: {} })
    const ends = findCard('ENS').getByRole('table', { name: 'How calls ended' })
    await ends.getByRole('row', { name: '400 1' }).waitFor()
    await ends.getByRole('row', { name: '200 1' }).waitFor()
    const figures = await findCard('ENS').locator('.figures dd').allTextContents()
    assert.deepEqual(figures, ['1', '2', '1'])
  })

  it('lists calls: how they ended and what they carried', async () => {
    await caller.closient()
    sandbox.closient.fault({ status: 500 }, { times: 1 })
    await caller.closient({
      body: { impressions: [{ campaign_id: CAMPAIGN }, { campaign_id: CAMPAIGN }] },
    })
    sandbox.closient.fault({ reset: 'after-read' }, { times: 1 })
    await caller.closient().catch(() => {})
    await caller.closient({ headers: { 'x-api-key': 'wrong' } })
    await caller.closient({ path: '/v2/impressions' })
    const rows = findCalls('Closient').locator('tbody tr')
    await rows.nth(4).waitFor()
    const cells = await rows.evaluateAll((found) =>
      found.map((row) => [row.children[1]?.textContent, row.children[2]?.textContent]),
    )
    assert.deepEqual(cells, [
      ['404', 'POST /v2/impressions'],
      ['401', 'wrong key'],
      ['reset by a fault', '1 impression: mhvXdrZT…'],
      ['500', '2 impressions, 0 counted: mhvXdrZT…, mhvXdrZT…'],
      ['200', '1 impression: mhvXdrZT…'],
    ])
  })

  it('shows a call that has no answer yet, and how it ends', async () => {
    sandbox.ens.fault({ delayMs: 60_000 })
    const call = caller.ens().catch(() => {})
    await findCalls('ENS').getByRole('cell', { name: 'waiting' }).waitFor()
    await caller.close()
    await call
    await findCalls('ENS').getByRole('cell', { name: 'aborted by the caller' }).waitFor()
  })

  it('shows the headers and the body of a call on a click, without keys', async () => {
    const placement = `<b onclick="x">${sandbox.ens.apiKey}</b>`
    await caller.ens({ body: { campaignId: 42, placement } })
    await caller.ens({ body: 'not <JSON>', headers: { 'x-note': '<i>' } })
    await page.getByRole('button', { name: 'Show call 1' }).click()
    const dialog = page.getByRole('dialog', { name: 'ENS call 1' })
    await dialog.getByText('authorization: [redacted]').waitFor()
    await dialog.getByText('"placement": "<b onclick=\\"x\\">[redacted]</b>"').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Show call 2' }).click()
    const second = page.getByRole('dialog', { name: 'ENS call 2' })
    await second.getByText('x-note: <i>').waitFor()
    await second.getByText('not <JSON>').waitFor()
    await second.getByRole('button', { name: 'Close' }).click()
    await second.waitFor({ state: 'hidden' })
    assert.equal((await page.content()).includes(sandbox.ens.apiKey), false)
    assert.deepEqual(consoleMessages, [])
  })

  it('keeps the focus in the list of calls while new calls arrive', async () => {
    await caller.ens()
    await page.getByRole('button', { name: 'Show call 1' }).focus()
    await caller.ens()
    await page.getByRole('button', { name: 'Show call 2' }).waitFor()
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
    assert.equal(focused, 'Show call 1')
  })

  it('lists the latest twelve calls only, and none after a reset', async () => {
    for (let call = 0; call < 14; call += 1) await caller.ens()
    await page.getByRole('button', { name: 'Show call 14' }).waitFor()
    const buttons = findCalls('ENS').getByRole('button')
    assert.equal(await buttons.count(), 12)
    await page.getByRole('button', { name: 'Clear everything' }).click()
    await findCalls('ENS').getByText('No calls yet').waitFor()
    assert.equal(await buttons.count(), 0)
  })

  it('cuts a large body, and shows a body that is nested too deeply for JSON as text', async () => {
    await caller.ens({ body: { campaignId: 1, placement: 'x'.repeat(50_000) } })
    await caller.ens({ body: '['.repeat(100_000) + ']'.repeat(100_000) })
    for (const id of [1, 2]) {
      await page.getByRole('button', { name: `Show call ${id}` }).click()
      const body = page.getByRole('dialog', { name: `ENS call ${id}` }).locator('.body')
      await body.waitFor()
      const text = (await body.textContent()) ?? ''
      assert.equal(text.length, 20_001)
      assert.ok(text.endsWith('…'))
      await page.keyboard.press('Escape')
    }
    assert.equal((await caller.control('GET', '/sandbox/ens')).status, 200)
  })

  it('shows the calls left in each window, and no quota where none is published', async () => {
    assert.equal(await findCard('ENS').getByText('Calls left').count(), 0)
    sandbox.closient.spend(120)
    await findCard('Closient').getByText('180 of 300 a minute').waitFor()
    await findCard('Closient').getByText('9,880 of 10,000 a day').waitFor()
  })

  it('shows no quota of Closient if its windows are switched off', async () => {
    await using other = await startSandbox({ closient: { windows: [] } })
    await page.goto(other.url)
    await page.getByText('Live', { exact: true }).waitFor()
    assert.equal(await findCard('Closient').getByText('Calls left').count(), 0)
    await page.getByRole('button', { name: 'Clear everything' }).click()
    assert.deepEqual(consoleMessages, [])
  })

  it('charts impressions per second, with a text alternative', async () => {
    const emptyCurve = await page.locator('g[data-network=ens] .curve').getAttribute('d')
    for (let call = 0; call < 5; call += 1) await caller.ens()
    const chart = page.getByRole('img', { name: /ENS: \d+ now, peak [1-5]; Closient: 0 now/ })
    await chart.waitFor()
    assert.notEqual(await page.locator('g[data-network=ens] .curve').getAttribute('d'), emptyCurve)
  })

  it('charts failed calls of all networks', async () => {
    sandbox.ens.fault({ status: 500 }, { times: 2 })
    for (let call = 0; call < 2; call += 1) await caller.ens()
    sandbox.closient.fault({ reset: 'before-read' }, { times: 1 })
    await caller.closient().catch(() => {})
    await page.getByRole('img', { name: /Failed calls: \d+ now, peak [1-3]/ }).waitFor()
    const heights = await page
      .locator('rect.failure')
      .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))))
    assert.ok(heights.length > 0 && heights.every((height) => height > 0))
  })

  it('explains each fault to the pointer and the keyboard, until Escape is pressed', async () => {
    const card = findCard('ENS')
    const button = card.getByRole('button', { name: 'Answer 502' })
    const tip = card.getByRole('tooltip').filter({ hasText: 'A gateway answers' })
    await tip.waitFor({ state: 'hidden' })
    await button.hover()
    await tip.waitFor({ state: 'visible' })
    await page.mouse.move(0, 0)
    await tip.waitFor({ state: 'hidden' })
    await card.getByRole('button', { name: 'Answer 429, retry after 5 s' }).focus()
    await page.keyboard.press('Tab')
    await tip.waitFor({ state: 'visible' })
    await page.keyboard.press('Escape')
    await tip.waitFor({ state: 'hidden' })
    for (const found of await page.locator('.fault button').all()) {
      const id = await found.getAttribute('aria-describedby')
      assert.match((await page.locator(`[id="${id}"]`).textContent()) ?? '', /\w+ .+\.$/)
    }
  })

  it('explains each fault on a touch screen, without setting it', async () => {
    const context = await browser.newContext({
      hasTouch: true,
      isMobile: true,
      viewport: { width: 360, height: 740 },
    })
    const phone = await context.newPage()
    await phone.goto(sandbox.url)
    const card = phone.getByRole('region', { name: 'ENS', exact: true })
    await card.getByText('What the faults do').tap()
    await card.getByRole('definition').filter({ hasText: 'A gateway answers' }).waitFor()
    assert.deepEqual(sandbox.ens.faults, [])
    await card.getByRole('button', { name: 'Answer 502' }).tap()
    await card.getByRole('tooltip').filter({ hasText: 'A gateway answers' }).waitFor()
    const width = await phone.evaluate(() => document.documentElement.scrollWidth)
    assert.equal(width, 360)
    await context.close()
  })

  it("has a panel for a network of the user's own", async () => {
    const { baseUrl, apiKey } = sandbox.networks.acme
    const name = '<img src=x onerror=alert(1)>'
    const views = [{ campaign: 'spring-seeds', slot: name }]
    await fetch(`${baseUrl}/v1/views`, {
      method: 'POST',
      headers: { 'acme-key': apiKey },
      body: JSON.stringify({ views }),
    })
    await findLatest('acme').getByRole('cell', { name: 'spring-seeds' }).waitFor()
    await findLatest('acme')
      .getByRole('cell', { name: `slot ${name}, isTop true` })
      .waitFor()
    await findCalls('acme').getByRole('cell', { name: '1 impression: spring-seeds' }).waitFor()
    await page.getByRole('img', { name: /acme: \d+ now, peak 1/ }).waitFor()
    await findCard('acme').getByRole('button', { name: 'Answer 500' }).click()
    await findCard('acme').getByText('Set: answer 500').waitFor()
    assert.deepEqual(
      sandbox.networks.acme.faults.map(({ fault }) => fault),
      [{ status: 500 }],
    )
    assert.equal(await page.locator('img').count(), 0)
    assert.deepEqual(consoleMessages, [])
  })

  it('has a panel for networks with unusual names', async () => {
    const network = { path: '/', verdict: () => ({ counted: ['a'] }) }
    await using other = await startSandbox({ networks: { call: network, constructor: network } })
    await page.goto(other.url)
    for (const name of ['call', 'constructor'] as const) {
      await fetch(other.networks[name].baseUrl)
      const panel = page.getByRole('region', { name, exact: true })
      await panel
        .getByRole('table', { name: 'Latest impressions' })
        .getByRole('cell', { name: 'a' })
        .waitFor()
      await panel.getByRole('button', { name: 'Show call 1' }).click()
      await page.getByRole('dialog', { name: `${name} call 1` }).waitFor()
      await page.keyboard.press('Escape')
    }
    assert.deepEqual(consoleMessages, [])
  })

  it('shows hostile input as text', async () => {
    const placement = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    const search_query = '</td><svg onload=alert(1)>{{7*7}}'
    await caller.ens({ body: { campaignId: 1, placement } })
    await caller.closient({ body: { impressions: [{ campaign_id: CAMPAIGN }], search_query } })
    await findLatest('ENS').getByText(placement).waitFor()
    await findLatest('Closient').getByText(search_query).waitFor()
    assert.equal(await page.locator('img, td svg, td script').count(), 0)
    assert.equal(await page.title(), 'Ad network sandbox')
    assert.deepEqual(consoleMessages, [])
  })

  it('runs only its own script, not one that was injected', async () => {
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "taken over"'
      document.body.append(script)
    })
    assert.equal(await page.title(), 'Ad network sandbox')
    assert.match(consoleMessages.join(), /Content Security Policy/)
  })

  it('sets a fault with a button and clears it with the same button', async () => {
    const button = findCard('ENS').getByRole('button', { name: 'Answer 500' })
    await button.click()
    await findCard('ENS').getByRole('button', { name: 'Answer 500', pressed: true }).waitFor()
    await findCard('ENS').getByText('Set: answer 500').waitFor()
    assert.equal((await caller.ens()).status, 500)
    assert.equal((await caller.closient()).status, 200)
    await button.click()
    await findCard('ENS').getByRole('button', { name: 'Answer 500', pressed: false }).waitFor()
    assert.equal((await caller.ens()).status, 200)
    assert.deepEqual(consoleMessages, [])
  })

  it('has buttons that all work', async () => {
    for (const name of ['ENS', 'Closient'] as const) {
      const network = name === 'ENS' ? sandbox.ens : sandbox.closient
      const buttons = findCard(name).locator('button[data-fault]')
      const count = await buttons.count()
      assert.ok(count >= 8)
      for (let index = 0; index < count; index += 1) {
        await buttons.nth(index).click()
        await findCard(name)
          .locator(`button[data-fault][aria-pressed=true] >> nth=${index}`)
          .waitFor()
      }
      assert.equal(network.faults.length, count)
      await findCard(name).getByRole('button', { name: 'Refuse connections' }).click()
      await findCard(name).getByText('connections refused').waitFor()
      assert.equal(network.refusing, true)
      await findCard(name).getByRole('button', { name: 'Refuse connections' }).click()
      await findCard(name)
        .getByRole('button', { name: 'Refuse connections', pressed: false })
        .waitFor()
      assert.equal(network.refusing, false)
    }
    await page.getByRole('button', { name: 'Use 50 calls elsewhere' }).click()
    await findCard('Closient').getByText('250 of 300 a minute').waitFor()
    await page.getByRole('button', { name: 'Clear everything' }).click()
    await findCard('Closient').getByText('300 of 300 a minute').waitFor()
    assert.deepEqual(sandbox.ens.faults, [])
    assert.deepEqual(consoleMessages, [])
  })

  it('shows a fault that was not set on the page', async () => {
    sandbox.closient.fault({ status: 418 }, { times: 2 })
    await findCard('Closient').getByText('Set: status 418, 2 more calls').waitFor()
  })

  it('reports that the sandbox has stopped', async () => {
    await sandbox.close()
    await page.getByText('The sandbox has stopped').waitFor()
  })

  it('fits a phone, where device and search query stay in sight', async () => {
    await page.setViewportSize({ width: 360, height: 640 })
    await caller.ens({
      body: { campaignId: 2041, placement: 'header_banner', location: 'GB', device: 'desktop' },
    })
    await caller.closient({
      body: {
        impressions: [{ campaign_id: CAMPAIGN, offer_id: OFFER }],
        search_query: 'x'.repeat(200),
      },
    })
    const device = findLatest('ENS').getByRole('cell', { name: 'desktop' })
    const query = findLatest('Closient').getByRole('cell', { name: 'xxx' })
    for (const cell of [device, query]) {
      await cell.waitFor()
      const box = await cell.boundingBox()
      assert.ok(box && box.x > 0 && box.x + box.width <= 360, `${box?.x} + ${box?.width}`)
    }
    const widths = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.scroll')].map((element) => [
        element.scrollWidth,
        element.clientWidth,
      ]),
    )
    for (const [scrollWidth, clientWidth] of widths) assert.equal(scrollWidth, clientWidth)
    assert.equal(widths[0]?.[0], 360)
  })

  it('supports a dark color scheme', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    assert.equal(background, 'rgb(18, 18, 17)')
  })

  it('loads nothing from elsewhere', async () => {
    const response = await fetch(sandbox.url)
    const html = await response.text()
    assert.doesNotMatch(html, /(?:src|href)="(?!data:)/)
    assert.match(String(response.headers.get('content-security-policy')), /^default-src 'none'; /)
  })
})

function countViews({ body }: CustomRequest) {
  const { views } = body as { views: { campaign: string; slot: string }[] }
  const counted = views.map(({ campaign, slot }) => ({ campaignId: campaign, slot, isTop: true }))
  return { status: 204, counted }
}
