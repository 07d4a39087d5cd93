import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { request } from 'undici'
import { launchChromium } from '../chromium.js'
import { RedisServer } from '../redis/redis-server.js'
import {
  BROWSER_HEADERS,
  extractText,
  type ListedImpression,
  NpmProgram,
  waitForImpressions,
} from './npm-program.js'

const FOLDER = new URL('../../examples/', import.meta.url)

const BANNER = { campaignId: 2041, placement: 'header_banner', device: 'desktop' }
const BANNER_TEXT = 'Sleep on the train, wake up in the mountains'
const PRODUCTS = [
  { campaignId: '5KZeS32Mr4tAXFsi353HqK', offerId: 'n76jfmweYbCSxH2iRUnsk6' },
  { campaignId: 'WHKWEbMrgK9m3m7GJRDvU2', offerId: 'XyRDvTgzTJgV5VjdDDMxZc' },
]

const PAGE =
  'The Daily Example Organic granola bars, box of twelve Waxed rain jacket, made to be mended'

/** The text of each page. trackImpression() must not add anything visible. */
const PAGES: Readonly<Record<string, string>> = {
  'express-ejs': PAGE,
  'express-pug': PAGE,
  'express-handlebars': PAGE,
  'express-nunjucks': PAGE,
  'koa-ejs': PAGE,
  fastify: PAGE,
  hono: PAGE,
  'template-literals': PAGE,
  htmx: PAGE,
  maxmind: PAGE,
  opentelemetry: PAGE,
  typescript: PAGE,
  'react-streaming': PAGE.replace('Example', 'Example Loading products'),
}

describe('The example', () => {
  for (const [name, text] of Object.entries(PAGES)) {
    it(`${name} shows its ads, prints nothing for them, and counts them once per page load`, async () => {
      await using example = new NpmProgram(`example ${name}`)
      const sandbox = await example.waitForLine(/sandbox: (http\S+)/)
      const site = await example.waitForLine(/Listening on (http\S+)/)

      for (const page of [1, 2]) {
        const response = await fetch(site, { headers: BROWSER_HEADERS })
        const html = await response.text()
        assert.equal(response.status, 200)
        assert.match(html, new RegExp(`alt="${BANNER_TEXT}"`))
        assert.equal(extractText(html), text)

        const ens = await waitForImpressions(sandbox, 'ens', page)
        assert.deepEqual(ens.map(omitSandboxFields), Array(page).fill(BANNER))
        const closient = await waitForImpressions(sandbox, 'closient', page * PRODUCTS.length)
        assert.deepEqual(
          closient.map(omitSandboxFields).sort(compareCampaigns),
          PRODUCTS.flatMap((product) => Array(page).fill(product)),
        )
      }

      assert.equal(await example.stop('SIGTERM'), 0)
    })
  }

  it('visible counts each ad once a person has scrolled to it', async () => {
    await using example = new NpmProgram('example visible')
    const sandbox = await example.waitForLine(/sandbox: (http\S+)/)
    const site = await example.waitForLine(/Listening on (http\S+)/)
    const browser = await launchChromium()
    try {
      const page = await browser.newPage({ userAgent: BROWSER_HEADERS['user-agent'] })
      await page.goto(site)
      assert.deepEqual((await waitForImpressions(sandbox, 'ens', 1)).map(omitSandboxFields), [
        BANNER,
      ])
      for (const [index, product] of [...PRODUCTS].reverse().entries()) {
        await page.locator('li').nth(index).scrollIntoViewIfNeeded()
        const [latest] = (await waitForImpressions(sandbox, 'closient', index + 1))
          .map(omitSandboxFields)
          .reverse()
        assert.deepEqual(latest, product)
      }
    } finally {
      await browser.close()
    }
    assert.equal(await example.stop('SIGTERM'), 0)
  })

  it('custom-network sends the impressions of a page to its own network in one call', async () => {
    await using example = new NpmProgram('example custom-network')
    const site = await example.waitForLine(/Listening on (http\S+)/)

    const response = await fetch(site, { headers: BROWSER_HEADERS })
    const html = await response.text()
    const sandbox = await example.waitForLine(/Acme counts: (http\S+)/)
    const counted = await waitForImpressions(sandbox, 'acme', 2)

    assert.equal(response.status, 200)
    assert.equal(
      extractText(html),
      'The Daily Example Spring is here: a third off all seeds Your roof, seen to before the rain',
    )
    assert.deepEqual(new Set(counted.map(({ call }) => call)), new Set([1]))
    assert.deepEqual(counted.map(omitSandboxFields), [
      { campaignId: 'spring-seeds', slot: 'top', device: 'desktop' },
      { campaignId: 'sound-roofs', slot: 'side', device: 'desktop' },
    ])
    assert.equal(await example.stop('SIGTERM'), 0)
  })

  for (const outbox of ['lmdb', 'redis']) {
    it(`cluster counts a page load once over all its processes (${outbox})`, async () => {
      const redis = outbox === 'redis' ? await RedisServer.start() : undefined
      try {
        await using example = new NpmProgram(`example cluster -- --outbox=${outbox}`, {
          REDIS_URL: redis?.url ?? '',
        })
        const sandbox = await example.waitForLine(/sandbox: (http\S+)/)
        const site = await example.waitForLine(/Listening on (http\S+)/)

        // fetch() would say that it is a script.
        const page = await request(site, { headers: BROWSER_HEADERS })
        await page.body.dump()
        const cookie = String(page.headers['set-cookie']).split(';')[0]
        const processes = new Set<string | undefined>()
        for (let story = 1; story <= 4; story += 1) {
          const { body } = await request(`${site}/story`, {
            headers: { ...BROWSER_HEADERS, accept: '*/*', cookie },
          })
          processes.add(/Sent by process (\d+)/.exec(await body.text())?.[1])
        }

        assert(processes.size > 1)
        // Per network: tracked, pending, delivered, duplicate, uncertain.
        await waitForFleet(site, '5 0 1 4 0 2 0 2 0 0')
        assert.equal((await waitForImpressions(sandbox, 'ens', 1)).length, 1)
        assert.equal((await waitForImpressions(sandbox, 'closient', 2)).length, 2)
        assert.equal(await example.stop('SIGTERM'), 0)
      } finally {
        await redis?.stop()
      }
    }).timeout(60_000) // five processes start
  }

  it('template-literals stops on Ctrl-C although a browser keeps an unused connection open', async () => {
    await using example = new NpmProgram('example template-literals')
    const site = await example.waitForLine(/Listening on (http\S+)/)
    const socket = connect(Number(new URL(site).port), 'localhost')
    try {
      await once(socket, 'connect')
      assert.equal(await example.stop('SIGINT'), 0)
    } finally {
      socket.destroy()
    }
  })

  it('names are listed if an unknown one is requested', async () => {
    await using example = new NpmProgram('example express-angular')
    const names = await example.waitForLines(/^ {2}(\S+)$/, Object.keys(PAGES).length + 2)
    assert.ok(names.includes('express-ejs'))
  })

  it('folders are all listed in the README and tested here or in test/recipes', () => {
    const folders = readdirSync(FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'demo')
      .map(({ name }) => name)
    const recipes = folders.filter((name) => existsSync(new URL(`${name}/package.json`, FOLDER)))
    const readme = readFileSync(new URL('README.md', FOLDER), 'utf8')
    const listed = [...readme.matchAll(/`npm run example ([a-z-]+)`/g)].map(([, name]) => name)
    const tested = readdirSync(new URL('../recipes', import.meta.url))
      .filter((file) => file.endsWith('.recipe.ts'))
      .map((file) => file.replace('.recipe.ts', ''))
      .sort()
    const others = ['custom-network', 'consent', 'visible', 'cluster']
    assert.deepEqual(folders.sort(), [...Object.keys(PAGES), ...others, ...recipes].sort())
    assert.deepEqual(tested, recipes)
    assert.deepEqual(listed.sort(), folders)
  })
})

/** Waits until the last row of the example's table has these figures. */
async function waitForFleet(site: string, figures: string): Promise<void> {
  for (;;) {
    const html = await (await fetch(`${site}/fleet`)).text()
    const row = html.slice(html.lastIndexOf('<tr>'))
    if (extractText(row).endsWith(` ${figures}`)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** An impression without the fields that the sandbox adds. */
function omitSandboxFields({ at: _at, call: _call, ...impression }: ListedImpression) {
  return impression
}

function compareCampaigns(a: { campaignId?: unknown }, b: { campaignId?: unknown }): number {
  return String(a.campaignId).localeCompare(String(b.campaignId))
}
