import assert from 'node:assert/strict'
import { defineNetwork } from '../../../lib/networks/define-network.js'
import type { Network } from '../../../lib/networks/network.js'
import { toShownReason } from '../../../lib/observability/inspector/shown-reason.js'
import { REASONS } from '../../../lib/reason.js'
import { assertSecret, CLOSIENT_KEY, canaryNetworks, ENS_KEY } from '../../networks/canaries.js'
import { closientAd, ensAd } from '../../page-load/campaigns.js'
import { SERVERS, type VisibleSite } from '../../visibility/visible-site.js'
import { INSPECTOR, readInspector, startInspectedSite } from './inspected-site.js'

const QUERY = 'vegan shoes 4711'

/** Everything that the inspector sends. */
async function readEverything(site: VisibleSite): Promise<string> {
  const replies = await Promise.all(
    [INSPECTOR, `${INSPECTOR}?data`].map((path) => site.request(path)),
  )
  return replies.map(({ headers, text }) => JSON.stringify(headers) + text).join('\n')
}

function assertAbsent(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) assert.ok(!text.includes(secret), `it shows ${secret}`)
}

describe('the privacy of the inspector', () => {
  it('hides keys that a network repeats in its answer and its headers', async () => {
    await using site = await startInspectedSite({
      networks: ({ ens, closient }) => canaryNetworks(ens.baseUrl, closient.baseUrl),
      page({ trackImpression, answer }) {
        trackImpression(ensAd())
        trackImpression(closientAd())
        answer('a page')
      },
    })
    const message = `no such key: ${ENS_KEY} ${encodeURIComponent(ENS_KEY)}`
    const detail = `no such key: ${CLOSIENT_KEY}`
    await site.sandbox.ens.fault({ status: 400, body: { status: 'error', message } })
    await site.sandbox.closient.fault({ status: 400, body: { title: detail, detail } })
    await site.request()
    await site.waitForOutcomes(2)

    assertSecret(await readEverything(site), 'the inspector')
  })

  for (const server of SERVERS) {
    it(`hides cookies, the query of the URL, and the viewer's address, in ${server.name}`, async () => {
      await using site = await startInspectedSite({
        server,
        options: { pageLoadCookie: true },
        page({ trackImpression, answer }) {
          trackImpression(ensAd())
          answer('a page')
        },
      })
      const { headers } = await site.request('/news;a?token=query-canary#fragment', {
        cookie: 'session=cookie-canary',
        'x-forwarded-for': '203.0.113.77',
        referer: 'https://example.com/referer-canary',
      })
      await site.waitForOutcomes(1)

      const text = await readEverything(site)

      assert.match(text, /GET \/news;a"/)
      const [pageLoadId] = /[0-9a-f-]{36}/.exec(String(headers['set-cookie'])) ?? []
      assert.ok(pageLoadId)
      const canaries = [
        'query-canary',
        'cookie-canary',
        '203.0.113.77',
        '127.0.0.1',
        'referer-canary',
      ]
      assertAbsent(text, [...canaries, pageLoadId, pageLoadId.slice(9)])
    })
  }

  it('hides search queries, also if a network or an error message quotes them', async () => {
    await using site = await startInspectedSite({
      options: { searchQuery: () => QUERY },
      page({ trackImpression, answer }) {
        trackImpression(closientAd())
        Reflect.apply(trackImpression, undefined, [{ ...closientAd(1), offerId: QUERY }])
        Reflect.apply(trackImpression, undefined, [{ campaignId: QUERY, network: 'closient' }])
        answer('a page')
      },
    })
    const detail = `no offers for ${QUERY}`
    await site.sandbox.closient.fault({
      status: 400,
      headers: { 'content-type': 'application/problem+json' },
      body: { title: detail, detail, status: 400, retryable: false },
    })
    await site.request()
    await site.waitForOutcomes(3)

    const { pageLoads } = await readInspector(site)

    const reasons = pageLoads[0]?.impressions.map(({ reason }) => reason) ?? []
    assert.match(reasons[0] ?? '', /^http-400: what the network says is only in the log/)
    assertAbsent(reasons.join('\n'), [QUERY, 'vegan'])
    assert.deepEqual(
      site.outcomes.filter(({ reason }) => reason.includes(QUERY)).length > 0,
      true,
      'the outcomes do quote it',
    )
  })

  for (const code of ['timeout', 'invalid-input', 'http-400']) {
    it(`hides what a network of the user says under the code ${code} if the option searchQuery is set`, async () => {
      await using site = await startInspectedSite({
        networks: (sandbox) => [createQuotingNetwork(sandbox.ens.baseUrl, code)],
        options: { searchQuery: () => QUERY },
        page({ trackImpression, answer }) {
          Reflect.apply(trackImpression, undefined, [{ campaignId: 1 }])
          answer('a page')
        },
      })
      await site.request()
      await site.waitForOutcomes(1)
      assertAbsent(await readEverything(site), [QUERY, 'vegan'])
    })
  }
})

function createQuotingNetwork(baseUrl: string, code: string): Network {
  return defineNetwork({
    name: 'acme',
    baseUrl,
    fields: [],
    parse: (fields, viewer) => ({
      campaignId: Number(fields.campaignId),
      item: viewer.searchQuery,
    }),
    request: () => ({ method: 'POST', path: '/nowhere', headers: {}, body: '' }),
    verdict: () => ({ kind: 'rejected', reason: `${code}: nothing for ${QUERY}` }),
  })
}

const WITHHELD_AS_TIMEOUT =
  'timeout: what the network says is only in the log, because it may quote a search query'

describe('a reason on the inspector', () => {
  for (const [reason, querySource, shown] of [
    ['http-200: the network accepted it', 'answer', 'http-200: the network accepted it'],
    ['http-404: no campaign 7', 'nothing', 'http-404: no campaign 7'],
    ['timeout: no answer in 10 s', 'answer', 'timeout: no answer in 10 s'],
    [
      'gateway-refused: a gateway refuses it (http-403: q)',
      'answer',
      'gateway-refused: a gateway refuses it',
    ],
    [
      'invalid-input: a: expected b, got "c", got "d"',
      'nothing',
      'invalid-input: a: expected b, got a string',
    ],
    [
      'invalid-input: a: expected b, got 4711',
      'nothing',
      'invalid-input: a: expected b, got a number',
    ],
    [
      'invalid-input: a: expected b, got nothing',
      'nothing',
      'invalid-input: a: expected b, got nothing',
    ],
    [
      'invalid-input: input: expected an input that can be read (bad query: q), got an object',
      'nothing',
      'invalid-input: input: expected an input that can be read, got an object',
    ],
    ['timeout: nothing for vegan shoes', 'verdict', WITHHELD_AS_TIMEOUT],
    [REASONS.processDied, 'verdict', REASONS.processDied],
    [
      'unreachable: connect ECONNREFUSED 10.1.2.3:443 (10.1.2.4:4089 through the proxy [fd00::7]:3128)',
      'nothing',
      'unreachable: connect ECONNREFUSED an IP address (an IP address through the proxy [an IP address]:3128)',
    ],
    [
      'unreachable: connect ECONNREFUSED ::1:443',
      'answer',
      'unreachable: connect ECONNREFUSED an IP address',
    ],
    [
      'http-403: not from ip:203.0.113.77. Nor 2001:db8::1. At 12:30:45 in version 1.2.3',
      'nothing',
      'http-403: not from ip:an IP address. Nor an IP address. At 12:30:45 in version 1.2.3',
    ],
    [
      'invalid-input: nothing for vegan shoes',
      'verdict',
      'invalid-input: what the network says is only in the log, because it may quote a search query',
    ],
  ] as const) {
    it(`is "${shown}" for "${reason}"`, () => {
      const isOfInput = reason.startsWith('invalid-input') && querySource === 'nothing'
      assert.equal(toShownReason(reason, querySource, isOfInput), shown)
    })
  }
})
