import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { launchChromium } from '../chromium.js'
import { type Arrived, BROWSER, received, Started, textOf } from './started.js'

const FOLDER = new URL('../../examples/', import.meta.url)

const BANNER = { campaignId: 2041, placement: 'header_banner', device: 'desktop' }
const BANNER_TEXT = 'Sleep on the train, wake up in the mountains'
const PRODUCTS = [
  { campaignId: '5KZeS32Mr4tAXFsi353HqK', offerId: 'n76jfmweYbCSxH2iRUnsk6' },
  { campaignId: 'WHKWEbMrgK9m3m7GJRDvU2', offerId: 'XyRDvTgzTJgV5VjdDDMxZc' },
]

const PAGE =
  'The Daily Example Organic granola bars, box of twelve Waxed rain jacket, made to be mended'

/** What each page reads as: nothing more is to be seen where its ads were tracked. */
const PAGES: Readonly<Record<string, string>> = {
  'express-ejs': PAGE,
  'express-pug': PAGE,
  'express-handlebars': PAGE,
  'express-nunjucks': PAGE,
  'koa-ejs': PAGE,
  'template-literals': PAGE,
  htmx: PAGE,
  maxmind: PAGE,
  typescript: PAGE,
  'react-streaming': PAGE.replace('Example', 'Example Products are on their way'),
}

describe('examples', () => {
  for (const [name, text] of Object.entries(PAGES)) {
    it(`${name} shows its ads, prints nothing for them, and has them counted once a page`, async () => {
      await using example = new Started(`example ${name}`)
      const sandbox = await example.line(/sandbox: (http\S+)/)
      const site = await example.line(/served at (http\S+)/)

      for (const page of [1, 2]) {
        const response = await fetch(site, { headers: BROWSER })
        const html = await response.text()
        assert.equal(response.status, 200)
        assert.match(html, new RegExp(`alt="${BANNER_TEXT}"`))
        assert.equal(textOf(html), text)

        const ens = await received(sandbox, 'ens', page)
        assert.deepEqual(ens.map(told), Array(page).fill(BANNER))
        const closient = await received(sandbox, 'closient', page * PRODUCTS.length)
        assert.deepEqual(
          closient.map(told).sort(byCampaign),
          PRODUCTS.flatMap((product) => Array(page).fill(product)),
        )
      }

      assert.equal(await example.stop('SIGTERM'), 0)
    })
  }

  it('visible tells of each ad once a person has scrolled to it', async () => {
    await using example = new Started('example visible')
    const sandbox = await example.line(/sandbox: (http\S+)/)
    const site = await example.line(/served at (http\S+)/)
    const browser = await launchChromium()
    try {
      const page = await browser.newPage({ userAgent: BROWSER['user-agent'] })
      await page.goto(site)
      assert.deepEqual((await received(sandbox, 'ens', 1)).map(told), [BANNER])
      for (const [index, product] of [...PRODUCTS].reverse().entries()) {
        await page.locator('li').nth(index).scrollIntoViewIfNeeded()
        const [latest] = (await received(sandbox, 'closient', index + 1)).map(told).reverse()
        assert.deepEqual(latest, product)
      }
    } finally {
      await browser.close()
    }
    assert.equal(await example.stop('SIGTERM'), 0)
  })

  it('custom-network tells a network of its own of a page in one call', async () => {
    await using example = new Started('example custom-network')
    const site = await example.line(/served at (http\S+)/)

    const response = await fetch(site, { headers: BROWSER })
    const html = await response.text()
    const counted = await example.line(/^Acme counted (.*)/)

    assert.equal(response.status, 200)
    assert.equal(
      textOf(html),
      'The Daily Example Spring is here: a third off all seeds Your roof, seen to before the rain',
    )
    assert.deepEqual(JSON.parse(counted), {
      views: [
        { campaign: 'spring-seeds', slot: 'top', device: 'desktop' },
        { campaign: 'sound-roofs', slot: 'side', device: 'desktop' },
      ],
    })
    assert.equal(await example.stop('SIGTERM'), 0)
  })

  it('are ended by Ctrl-C although a browser holds a connection that it never used', async () => {
    await using example = new Started('example template-literals')
    const site = await example.line(/served at (http\S+)/)
    const socket = connect(Number(new URL(site).port), 'localhost')
    try {
      await once(socket, 'connect')
      assert.equal(await example.stop('SIGINT'), 0)
    } finally {
      socket.destroy()
    }
  })

  it('are named, when an unknown one is asked for', async () => {
    await using example = new Started('example express-angular')
    const names = await example.matching(/^ {2}(\S+)$/, Object.keys(PAGES).length + 2)
    assert.ok(names.includes('express-ejs'))
  })

  it('all stand in their README and are all tested here', () => {
    const folders = readdirSync(FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'demo')
      .map(({ name }) => name)
    const readme = readFileSync(new URL('README.md', FOLDER), 'utf8')
    const told = [...readme.matchAll(/`npm run example ([a-z-]+)`/g)].map(([, name]) => name)
    const others = ['custom-network', 'consent', 'visible']
    assert.deepEqual(folders.sort(), [...Object.keys(PAGES), ...others].sort())
    assert.deepEqual(told.sort(), folders)
  })
})

/** An impression without what the sandbox notes of its arrival. */
function told({ at: _at, call: _call, ...impression }: Arrived) {
  return impression
}

function byCampaign(one: { campaignId?: unknown }, other: { campaignId?: unknown }): number {
  return String(one.campaignId).localeCompare(String(other.campaignId))
}
