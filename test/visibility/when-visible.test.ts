import assert from 'node:assert/strict'
import { InvalidImpressionError } from '../../lib/errors.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import type { FrameworkPage } from '../frameworks/framework.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { BOT_HEADERS } from '../page-load/fetch-page.js'
import { tokensIn, twoAds, VisibleSite } from './visible-site.js'

/** A network whose impressions hold whatever their campaign's name says. */
function oddNetwork(items: Readonly<Record<string, unknown>>) {
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

/** A page that answers with what `whenVisible` returns for this, whatever its type. */
const attributeFor =
  (input: unknown): FrameworkPage =>
  ({ trackImpression, answer }) => {
    answer(`[${Reflect.apply(trackImpression.whenVisible, undefined, [input])}]`)
  }

describe('whenVisible()', () => {
  it('returns an attribute that no template language escapes', async () => {
    const searchQuery = `"<ü & 'quotes' \u2028>${'€'.repeat(900)}`
    await using site = await VisibleSite.start({
      page: attributeFor({ ...closientAd(), searchQuery }),
    })

    const { text } = await site.ask()

    assert.match(text, /^\[data-ad-impression=[\w.-]+\]$/)
    await site.report(tokensIn(text))
    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered'])
    assert.equal(site.sandbox.closient.calls.length, 1)
  })

  for (const [what, headers, options, outcome] of [
    ['a robot', BOT_HEADERS, {}, 'bot'],
    ['a viewer without consent', {}, { consent: () => false }, 'no-consent'],
  ] as const) {
    it(`prints nothing for ${what}, and is told at once`, async () => {
      await using site = await VisibleSite.start({ page: attributeFor(ensAd()), options })

      assert.equal((await site.ask('/', headers)).text, '[]')

      assert.deepEqual(site.summaries, [`ens suppressed: ${outcome}`])
    })
  }

  it('is no display of a page that only its head was asked for', async () => {
    await using site = await VisibleSite.start({ page: attributeFor(ensAd()) })

    await site.ask('/', {}, 'HEAD')

    assert.deepEqual(site.summaries, ['ens suppressed: head'])
  })

  for (const [what, headers, status] of [
    ['a prefetched page', { 'sec-purpose': 'prefetch' }, 200],
    ['a prerendered page', { 'sec-purpose': 'prefetch;prerender' }, 200],
    ['an error page', {}, 500],
    ['a page that is not there', {}, 404],
    ['a redirect with a page in it', {}, 302],
  ] as const) {
    it(`leaves it to the browser whether ${what} is seen`, async () => {
      await using site = await VisibleSite.start({
        page({ res, trackImpression, answer }) {
          res.statusCode = status
          answer(trackImpression.whenVisible(ensAd()))
        },
      })

      const tokens = await site.tokens('/', headers)
      assert.deepEqual(site.summaries, [])
      await site.report(tokens)

      await site.waitForOutcomes(1)
      assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
    })
  }

  it('asks for consent with the page, and not again with the report', async () => {
    let asked = 0
    await using site = await VisibleSite.start({
      options: {
        consent() {
          asked += 1
          return asked === 1
        },
      },
    })

    await site.report(await site.tokens())

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })

  for (const input of [undefined, null, 7, 'ad', {}, { campaignId: -1 }, { campaignId: 42 }]) {
    it(`prints nothing for an input that cannot be sent: ${JSON.stringify(input)}`, async () => {
      await using site = await VisibleSite.start({ page: attributeFor(input) })

      assert.equal((await site.ask()).text, '[]')

      assert.match(site.summaries.join(), /^(ens|unknown) invalid$/)
      assert.equal(site.lines.length, 1)
    })
  }

  it('throws into the page for an input that cannot be sent, with strict', async () => {
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

    await site.ask()

    assert.ok(thrown instanceof InvalidImpressionError)
    assert.equal(thrown.field, 'campaignId')
    assert.deepEqual(site.summaries, ['ens invalid'])
  })

  it('prints nothing without the option, and the log says which', async () => {
    await using site = await VisibleSite.start({ options: { visibility: undefined } })

    assert.equal((await site.ask()).text, '<p >1<p >2')

    assert.deepEqual(site.summaries, ['unknown invalid', 'unknown invalid'])
    const [first = '', second = ''] = site.lines
    assert.match(first, /whenVisible\(\): expected the option visibility: \{ secret \} to be set/)
    assert.match(second, /script\(\): expected the option visibility: \{ secret \} to be set/)
    assert.equal(site.lines.length, 2)
  })

  it('without the option leaves its addresses to the app', async () => {
    await using site = await VisibleSite.start({ options: { visibility: undefined } })

    assert.equal((await site.ask('/_visible/client.js')).text, '<p >1<p >2')
  })

  const circle: Record<string, unknown> = {}
  circle.self = circle
  const unfit = { bigint: 1n, circle, long: 'x'.repeat(20_000) }
  for (const campaignId of Object.keys(unfit)) {
    it(`finds an impression invalid that no token can hold: ${campaignId}`, async () => {
      await using site = await VisibleSite.start({
        page: attributeFor({ campaignId }),
        options: { networks: [oddNetwork(unfit)] },
      })

      assert.equal((await site.ask()).text, '[]')

      assert.deepEqual(site.summaries, ['odd invalid'])
      assert.equal(site.lines.length, 1)
    })
  }

  it('may be taken from the helper, as may script()', async () => {
    await using site = await VisibleSite.start({ page: twoAds })

    assert.match((await site.ask()).text, /^(<p data-ad-impression=[\w.-]+>\d){2}<script src="/)
  })
})
