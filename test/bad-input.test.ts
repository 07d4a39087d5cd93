import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import express from 'express'
import { type ImpressionsMiddleware, impressions } from '../lib/express.js'
import type { OutcomeEvent } from '../lib/impression.js'
import { type Sandbox, startSandbox } from '../lib/sandbox/sandbox.js'
import { withoutAddress } from './docs-address.js'
import { fetchPage } from './page-load/fetch-page.js'
import { getPort, listenOnLoopback } from './page-load/listen-on-loopback.js'
import { createMemoryLogger } from './page-load/memory-logger.js'
import { createNetworks } from './page-load/sandbox-networks.js'
import { assertBalanced } from './page-load/stats-assertions.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'
const OTHER_ID = '2222222222222222222223'
const PAGE = '<h1>News</h1><p>Ad: []</p>'
const TEN_MEGABYTES = 'x'.repeat(10 * 1024 * 1024)

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

/** Invalid inputs, the network that they are attributed to, and the expected message. */
const BAD_INPUTS: [title: string, input: unknown, network: string, message: string][] = [
  [
    'without campaignId',
    { placement: 'header_banner' },
    'ens',
    'campaignId: expected a positive integer, got nothing',
  ],
  ['without any field', {}, 'unknown', 'campaignId: expected the id of a campaign, got nothing'],
  [
    'with a string as ENS campaign',
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
    'with an id of 21 characters',
    { campaignId: ID.slice(1) },
    'closient',
    'campaignId: expected a 22-character shortuuid or a canonical UUID, got "hvXdrZT4jP5T8vBxuvm75"',
  ],
  [
    'with a getter that throws',
    throwing,
    'ens',
    'placement: expected a value that can be read (reading it threw: the database is down), ' +
      'got nothing',
  ],
  [
    'with an object that pollutes prototypes',
    polluting,
    'ens',
    'campaignId: expected a positive integer, got nothing',
  ],
  [
    'with a placement of 10 MB',
    { ...ensAd, placement: TEN_MEGABYTES },
    'ens',
    'placement: expected a placement id of 1 to 256 printable characters, ' +
      `got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with a campaign of 10 MB',
    { campaignId: TEN_MEGABYTES },
    'closient',
    'campaignId: expected a 22-character shortuuid or a canonical UUID, ' +
      `got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with a network of 10 MB',
    { ...ensAd, network: TEN_MEGABYTES },
    'unknown',
    `network: expected 'ens' or 'closient', got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
  [
    'with undefined',
    undefined,
    'unknown',
    'input: expected an object such as { campaignId, placement }, got nothing',
  ],
  [
    'with a string',
    '42',
    'unknown',
    'input: expected an object such as { campaignId, placement }, got "42"',
  ],
]

/** Wrong optional fields, the network that they are for, and the expected message. */
const IGNORED_FIELDS: [title: string, input: unknown, network: string, message: string][] = [
  [
    'an unknown device',
    { ...ensAd, device: 'phone' },
    'ens',
    `device: expected 'mobile', 'desktop' or 'tablet', got "phone"`,
  ],
  [
    'UK instead of GB',
    { ...ensAd, location: 'UK' },
    'ens',
    'location: expected an ISO 3166-1 alpha-2 country code such as US (the United Kingdom is GB), ' +
      'got "UK"',
  ],
  [
    'an offer id of 21 characters',
    { campaignId: OTHER_ID, offerId: ID.slice(1) },
    'closient',
    'offerId: expected a 22-character shortuuid or a canonical UUID, got "hvXdrZT4jP5T8vBxuvm75"',
  ],
  [
    'a search query of 10 MB',
    { campaignId: OTHER_ID, searchQuery: TEN_MEGABYTES },
    'closient',
    'searchQuery: expected a string of at most 1024 characters, ' +
      `got "${'x'.repeat(40)}"… (10485760 characters)`,
  ],
]

/** A site whose page tracks a bad input between two good ones. */
async function startSite(sandbox: Sandbox, input: unknown, strict: boolean) {
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

describe('trackImpression', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  for (const [title, input, network, message] of BAD_INPUTS) {
    describe(title, () => {
      it('is invalid and logged once; the page and its other impressions are fine', async () => {
        const { ads, lines, events, server, url } = await startSite(sandbox, input, false)
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
          assert.equal(withoutAddress(invalid?.reason ?? ''), `invalid-input: ${message}`)
          assert.equal(invalid?.attempts, 0)
          assert.equal(ads.stats()[network]?.invalid, 1)
          const suffix = network === 'unknown' ? '' : ` for ${network}`
          const [line = '', ...moreLines] = lines
          assert.deepEqual(moreLines, [])
          const start = `ad-impressions: invalid impression${suffix}: ${message} (`
          assert.ok(line.startsWith(start), line)
          assert.match(
            withoutAddress(line).slice(start.length),
            /^.*GET \/\)$/,
            'it names the page',
          )
          assert.equal(Reflect.get({}, 'polluted'), undefined)
        } finally {
          await close(server, ads)
        }
      })

      it('throws the same message with strict', async () => {
        const { ads, lines, events, server, url } = await startSite(sandbox, input, true)
        try {
          const { status, text } = await fetchPage(url)
          assert.equal(status, 500)
          assert.ok(unescapeHtml(text).includes(`InvalidImpressionError: ${message}`), text)
          assert.equal(
            withoutAddress(events.find(({ outcome }) => outcome === 'invalid')?.reason ?? ''),
            `invalid-input: ${message}`,
          )
          assert.deepEqual(lines, [], 'a thrown error is not logged as well')
        } finally {
          await close(server, ads)
        }
      })
    })
  }

  for (const [title, input, network, message] of IGNORED_FIELDS) {
    describe(`with ${title}`, () => {
      it('counts without that field, with one warning that names it', async () => {
        const { ads, lines, events, server, url } = await startSite(sandbox, input, false)
        try {
          await fetchPage(url)
          await fetchPage(url)
          await sandbox.ens.received(network === 'ens' ? 4 : 2)
          await sandbox.closient.received(2)
          await ads.flush()
          const outcomes = events.filter((event) => event.network === network)
          assert.deepEqual(new Set(outcomes.map(({ outcome }) => outcome)), new Set(['delivered']))
          assert.equal(ads.stats()[network]?.delivered, 4)
          assert.deepEqual(lines.map(withoutAddress), [
            `ad-impressions: ${network}: ${message}; counted without it`,
          ])
        } finally {
          await close(server, ads)
        }
      })

      it('throws the same message with strict', async () => {
        const { ads, lines, events, server, url } = await startSite(sandbox, input, true)
        try {
          const { status, text } = await fetchPage(url)
          assert.equal(status, 500)
          assert.ok(unescapeHtml(text).includes(`InvalidImpressionError: ${message}`), text)
          assert.equal(
            withoutAddress(events.find(({ outcome }) => outcome === 'invalid')?.reason ?? ''),
            `invalid-input: ${message}`,
          )
          assert.deepEqual(lines, [])
        } finally {
          await close(server, ads)
        }
      })
    })
  }

  it('takes null in any optional field for not given, even with strict', async () => {
    const ad = { ...ensAd, location: null, device: null, network: null, offerId: null }
    const { ads, lines, server, url } = await startSite(sandbox, ad, true)
    try {
      await fetchPage(url)
      await sandbox.ens.received(2)
      const { body } = sandbox.ens.calls[1] ?? {}
      assert.deepEqual(body, { ...ensAd, device: 'desktop' })
      assert.deepEqual(lines.map(withoutAddress), [
        'ad-impressions: ens: "offerId" is not a field of this network; ignored',
      ])
    } finally {
      await close(server, ads)
    }
  })

  it('with the same bad input twenty times is logged once and counted twenty times', async () => {
    const { ads, lines, server, url } = await startSite(sandbox, { ...ensAd, placement: '' }, false)
    try {
      for (let i = 0; i < 20; i += 1) await fetchPage(url)
      assert.equal(ads.stats().ens?.invalid, 20)
      assert.equal(lines.length, 1)
    } finally {
      await close(server, ads)
    }
  })

  it('with a whole ad object ignores unknown fields, with one warning each', async () => {
    const ad = { campaignId: 43, placement: 'side', id: 43, url: 'https://a.example', image: '' }
    const { ads, lines, server, url } = await startSite(sandbox, ad, false)
    try {
      await fetchPage(url)
      await fetchPage(url)
      await sandbox.ens.received(4)
      assert.deepEqual(sandbox.ens.calls.map(({ body }) => body).filter(isSideAd), [
        { campaignId: 43, placement: 'side', device: 'desktop' },
        { campaignId: 43, placement: 'side', device: 'desktop' },
      ])
      assert.deepEqual(
        lines.map((line) => /"(\w+)" is not a field of this network; ignored/.exec(line)?.[1]),
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

function unescapeHtml(html: string): string {
  return html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&')
}
