import assert from 'node:assert/strict'
import { InvalidImpressionError } from '../../lib/errors.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import type { FrameworkPage } from '../frameworks/framework.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { BOT_HEADERS } from '../page-load/fetch-page.js'
import { findTokens, twoAds, VisibleSite } from './visible-site.js'

/** Creates a network whose items are looked up by the campaign id. */
function createOddNetwork(items: Readonly<Record<string, unknown>>) {
  return defineNetwork<unknown>({
    name: 'odd',
    baseUrl: 'http://127.0.0.1:9',
    fields: [],
    parse: ({ campaignId }) => ({
      campaignId: String(campaignId),
      item: items[String(campaignId)],
    }),
    request: () => ({ method: 'POST', path: '/', headers: {}, body: '' }),
  })
}

/** A page that prints what `whenVisible()` returns for `input`, which may have any type. */
const printAttribute =
  (input: unknown): FrameworkPage =>
  ({ trackImpression, answer }) => {
    answer(`[${Reflect.apply(trackImpression.whenVisible, undefined, [input])}]`)
  }

describe('whenVisible()', () => {
  it('returns an attribute that needs no escaping in any template language', async () => {
    const searchQuery = `"<ü & 'quotes' \u2028>${'€'.repeat(900)}`
    await using site = await VisibleSite.start({
      page: printAttribute({ ...closientAd(), searchQuery }),
    })

    const { text } = await site.request()

    assert.match(text, /^\[data-ad-impression=[\w.-]+\]$/)
    await site.sendReport(findTokens(text))
    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered'])
    assert.equal(site.sandbox.closient.calls.length, 1)
  })

  for (const [what, headers, options, outcome] of [
    ['a bot', BOT_HEADERS, {}, 'bot'],
    ['a viewer without consent', {}, { consent: () => false }, 'no-consent'],
  ] as const) {
    it(`prints nothing for ${what}, and counts it as suppressed at once`, async () => {
      await using site = await VisibleSite.start({ page: printAttribute(ensAd()), options })

      assert.equal((await site.request('/', headers)).text, '[]')

      assert.deepEqual(site.summaries, [`ens suppressed: ${outcome}`])
    })
  }

  it('is suppressed for a HEAD request', async () => {
    await using site = await VisibleSite.start({ page: printAttribute(ensAd()) })

    await site.request('/', {}, 'HEAD')

    assert.deepEqual(site.summaries, ['ens suppressed: method'])
  })

  for (const [what, headers, status] of [
    ['a prefetched page', { 'sec-purpose': 'prefetch' }, 200],
    ['a prerendered page', { 'sec-purpose': 'prefetch;prerender' }, 200],
    ['an error page', {}, 500],
    ['a 404 page', {}, 404],
    ['a redirect with a body', {}, 302],
  ] as const) {
    it(`counts once the browser reports it, on ${what}`, async () => {
      await using site = await VisibleSite.start({
        page({ res, trackImpression, answer }) {
          res.statusCode = status
          answer(trackImpression.whenVisible(ensAd()))
        },
      })

      const tokens = await site.fetchTokens('/', headers)
      assert.deepEqual(site.summaries, [])
      await site.sendReport(tokens)

      await site.waitForOutcomes(1)
      assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
    })
  }

  it('checks consent in the request of the page, not in the report', async () => {
    let calls = 0
    await using site = await VisibleSite.start({
      options: {
        consent() {
          calls += 1
          return calls === 1
        },
      },
    })

    await site.sendReport(await site.fetchTokens())

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })

  for (const input of [undefined, null, 7, 'ad', {}, { campaignId: -1 }, { campaignId: 42 }]) {
    it(`prints nothing for an invalid input: ${JSON.stringify(input)}`, async () => {
      await using site = await VisibleSite.start({ page: printAttribute(input) })

      assert.equal((await site.request()).text, '[]')

      assert.match(site.summaries.join(), /^(ens|unknown) invalid$/)
      assert.equal(site.logLines.length, 1)
    })
  }

  it('throws for an invalid input with the option strict', async () => {
    let thrown: unknown
    await using site = await VisibleSite.start({
      options: { strict: true },
      page({ trackImpression, answer }) {
        try {
          trackImpression.whenVisible({ campaignId: -1, placement: 'here' })
        } catch (error) {
          thrown = error
        }
        answer('')
      },
    })

    await site.request()

    assert.ok(thrown instanceof InvalidImpressionError)
    assert.equal(thrown.field, 'campaignId')
    assert.deepEqual(site.summaries, ['ens invalid'])
  })

  it('prints nothing without the option visibility, and logs an error that names it', async () => {
    await using site = await VisibleSite.start({ options: { visibility: undefined } })

    assert.equal((await site.request()).text, '<p >1<p >2')

    assert.deepEqual(site.summaries, ['unknown invalid', 'unknown invalid'])
    const [first = '', second = ''] = site.logLines
    assert.match(first, /whenVisible\(\): expected the option visibility: \{ secret \} to be set/)
    assert.match(second, /script\(\): expected the option visibility: \{ secret \} to be set/)
    assert.equal(site.logLines.length, 2)
  })

  it('without the option visibility leaves its routes to the app', async () => {
    await using site = await VisibleSite.start({ options: { visibility: undefined } })

    assert.equal((await site.request('/_visible/client.js')).text, '<p >1<p >2')
  })

  const circular: Record<string, unknown> = {}
  circular.self = circular
  const unsupported = { bigint: 1n, circular, long: 'x'.repeat(20_000) }
  for (const campaignId of Object.keys(unsupported)) {
    it(`is invalid if a token cannot represent the impression: ${campaignId}`, async () => {
      await using site = await VisibleSite.start({
        page: printAttribute({ campaignId }),
        options: { networks: [createOddNetwork(unsupported)] },
      })

      assert.equal((await site.request()).text, '[]')

      assert.deepEqual(site.summaries, ['odd invalid'])
      assert.equal(site.logLines.length, 1)
    })
  }

  it('can be destructured from the helper, like script()', async () => {
    await using site = await VisibleSite.start({ page: twoAds })

    assert.match((await site.request()).text, /^(<p data-ad-impression=[\w.-]+>\d){2}<script src="/)
  })
})
