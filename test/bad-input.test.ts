import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import express from 'express'
import { type ImpressionsMiddleware, impressions } from '../lib/express.js'
import type { OutcomeEvent } from '../lib/impression.js'
import { type Sandbox, startSandbox } from '../lib/sandbox/sandbox.js'
import { fetchPage } from './page-load/fetch-page.js'
import { getPort, listenOnLoopback } from './page-load/listen-on-loopback.js'
import { createMemoryLogger } from './page-load/memory-logger.js'
import { createNetworks } from './page-load/sandbox-networks.js'
import { assertBalanced } from './page-load/stats-assertions.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'
const PAGE = '<h1>News</h1><p>Ad: []</p>'
const MEGABYTES_10 = 'x'.repeat(10 * 1024 * 1024)

const ensAd = { campaignId: 42, placement: 'header_banner' }

const throwing = {
  campaignId: 42,
  get placement(): string {
    throw new Error('the database is down')
  },
}

const polluting: unknown = JSON.parse(
  '{"__proto__":{"campaignId":42,"polluted":true},"placement":"header_banner",' +
    '"constructor":{"prototype":{"polluted":true}}}',
)

/** What the issue lists, and its like: the input, whose it is, and what is said of it. */
const BAD_INPUTS: [title: string, input: unknown, network: string, message: string][] = [
  [
    'without campaignId',
    { placement: 'header_banner' },
    'ens',
    'campaignId: expected a positive integer, got nothing',
  ],
  ['without anything', {}, 'unknown', 'campaignId: expected the id of a campaign, got nothing'],
  [
    'with a string where a number belongs',
    { ...ensAd, campaignId: '42' },
    'ens',
    'campaignId: expected a positive integer, got "42"',
  ],
  [
    'with an empty placement',
    { ...ensAd, placement: '' },
    'ens',
    'placement: expected a placement id of 1 to 256 printable characters, got ""',
  ],
  [
    'without a placement',
    { campaignId: 42 },
    'ens',
    'placement: expected a placement id of 1 to 256 printable characters, got nothing',
  ],
  [
    'with a device of another word',
    { ...ensAd, device: 'phone' },
    'ens',
    `device: expected 'mobile', 'desktop' or 'tablet', got "phone"`,
  ],
  [
    'with UK, which is GB',
    { ...ensAd, location: 'UK' },
    'ens',
    'location: expected an ISO 3166-1 alpha-2 country code such as US (the United Kingdom is GB), ' +
      'got "UK"',
  ],
  [
    'with an id of 21 characters',
    { campaignId: ID.slice(1) },
    'closient',
    'campaignId: expected a 22-character shortuuid or a canonical UUID, got "hvXdrZT4jP5T8vBxuvm75"',
  ],
  [
    'with an offer id of 21 characters',
    { campaignId: ID, offerId: ID.slice(1) },
    'closient',
    'offerId: expected a 22-character shortuuid or a canonical UUID, got "hvXdrZT4jP5T8vBxuvm75"',
  ],
  [
    'with a getter that throws',
    throwing,
    'ens',
    'placement: expected a value that can be read (reading it threw: the database is down), ' +
      'got nothing',
  ],
  [
    'with a prototype-polluting object',
    polluting,
    'ens',
    'campaignId: expected a positive integer, got nothing',
  ],
  [
    'with a placement of 10 MB',
    { ...ensAd, placement: MEGABYTES_10 },
    'ens',
    'placement: expected a placement id of 1 to 256 printable characters, ' +
      `got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with a campaign of 10 MB',
    { campaignId: MEGABYTES_10 },
    'closient',
    'campaignId: expected a 22-character shortuuid or a canonical UUID, ' +
      `got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with a search of 10 MB',
    { campaignId: ID, searchQuery: MEGABYTES_10 },
    'closient',
    'searchQuery: expected a text of at most 1024 characters, or null, ' +
      `got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with a network of 10 MB',
    { ...ensAd, network: MEGABYTES_10 },
    'unknown',
    `network: expected 'ens' or 'closient', got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with nothing',
    undefined,
    'unknown',
    'input: expected an object such as { campaignId, placement }, got nothing',
  ],
  [
    'with a text',
    '42',
    'unknown',
    'input: expected an object such as { campaignId, placement }, got "42"',
  ],
]

/** A page with one bad ad among two good ones, as a template would print them. */
async function publish(sandbox: Sandbox, input: unknown, strict: boolean) {
  const lines: string[] = []
  const events: OutcomeEvent[] = []
  const ads = impressions({
    networks: createNetworks(sandbox),
    logger: createMemoryLogger(lines),
    strict,
  })
  ads.on('outcome', (event) => events.push(event))
  const app = express()
  app.set('env', 'test')
  app.use(ads)
  app.get('/', (_req, res) => {
    const { trackImpression } = res.locals
    let printed: string = trackImpression({ campaignId: 7, placement: 'top' })
    printed += Reflect.apply(trackImpression, undefined, [input])
    printed += trackImpression({ campaignId: ID })
    res.send(PAGE.replace('[]', `[${printed}]`))
  })
  const server = createServer(app)
  await listenOnLoopback(server)
  return { ads, lines, events, server, url: `http://127.0.0.1:${getPort(server)}/` }
}

async function close(server: Server, ads: ImpressionsMiddleware): Promise<void> {
  server.closeAllConnections()
  server.close()
  await ads.close({ timeoutMs: 1 })
  assertBalanced(ads.stats())
}

describe('an impression that is called', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  for (const [title, input, network, message] of BAD_INPUTS) {
    describe(title, () => {
      it('is invalid, is logged once, and harms neither the page nor its other impressions', async () => {
        const { ads, lines, events, server, url } = await publish(sandbox, input, false)
        try {
          const { status, text } = await fetchPage(url)
          assert.equal(status, 200)
          assert.equal(text, PAGE)

          await sandbox.ens.received(1)
          await sandbox.closient.received(1)
          await ads.flush()
          assert.deepEqual(
            sandbox.ens.impressions.map(({ campaignId }) => campaignId),
            [7],
          )
          assert.deepEqual(
            sandbox.closient.impressions.map(({ campaignId }) => campaignId),
            [ID],
          )

          const [invalid, ...more] = events.filter(({ outcome }) => outcome === 'invalid')
          assert.equal(more.length, 0)
          assert.equal(invalid?.network, network)
          assert.equal(invalid?.reason, message)
          assert.equal(invalid?.attempts, 0)
          assert.equal(ads.stats()[network]?.invalid, 1)
          const whose = network === 'unknown' ? '' : ` for ${network}`
          assert.deepEqual(lines, [`ad-impressions: invalid impression${whose}: ${message}`])
          assert.equal(Reflect.get({}, 'polluted'), undefined)
        } finally {
          await close(server, ads)
        }
      })

      it('throws the same with strict, as an error page', async () => {
        const { ads, lines, events, server, url } = await publish(sandbox, input, true)
        try {
          const { status, text } = await fetchPage(url)
          assert.equal(status, 500)
          assert.ok(unescaped(text).includes(`InvalidImpressionError: ${message}`), text)
          assert.equal(events.find(({ outcome }) => outcome === 'invalid')?.reason, message)
          assert.deepEqual(lines, [], 'whoever asked to have it thrown need not have it logged')
        } finally {
          await close(server, ads)
        }
      })
    })
  }

  it('wrongly twenty times is logged once, and counted twenty times', async () => {
    const { ads, lines, server, url } = await publish(sandbox, { ...ensAd, device: 'phone' }, false)
    try {
      for (let i = 0; i < 20; i += 1) await fetchPage(url)
      assert.equal(ads.stats().ens?.invalid, 20)
      assert.equal(lines.length, 1)
    } finally {
      await close(server, ads)
    }
  })

  it('with a whole ad object loses what the network has no field for, and says so once', async () => {
    const ad = { campaignId: 43, placement: 'side', id: 43, url: 'https://a.example', image: '' }
    const { ads, lines, server, url } = await publish(sandbox, ad, false)
    try {
      await fetchPage(url)
      await fetchPage(url)
      await sandbox.ens.received(4)
      assert.deepEqual(sandbox.ens.calls.map(({ body }) => body).filter(isSideAd), [
        { campaignId: 43, placement: 'side', device: 'desktop' },
        { campaignId: 43, placement: 'side', device: 'desktop' },
      ])
      assert.deepEqual(
        lines.map((line) => /"(\w+)" is no field of this network: left out$/.exec(line)?.[1]),
        ['id', 'url', 'image'],
      )
    } finally {
      await close(server, ads)
    }
  })
})

function isSideAd(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Reflect.get(body, 'placement') === 'side'
}

function unescaped(html: string): string {
  return html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&')
}
