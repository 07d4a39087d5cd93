import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { closient } from '../../lib/networks/closient.js'
import { closientAd, ensAd, shortuuid } from '../page-load/campaigns.js'
import { createDeferred } from '../page-load/deferred.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { FROM_OWN_PAGE, tokensIn, VisibleSite } from './visible-site.js'

/** A page that has begun and is still open, and what has come of it. */
async function begun({ port }: VisibleSite): Promise<{ response: IncomingMessage; text: string }> {
  const response = await new Promise<IncomingMessage>((resolve) => {
    get({ port, headers: BROWSER_HEADERS }, resolve)
  })
  const [chunk] = await once(response, 'data')
  return { response, text: String(chunk) }
}

describe('the impressions of one report', () => {
  it('of one search leave for Closient in one call', async () => {
    await using site = await VisibleSite.start({
      page({ trackImpression: { whenVisible }, answer }) {
        const ads = Array.from({ length: 50 }, (_, n) => whenVisible(closientAd(n)))
        answer([...ads, whenVisible(ensAd())].join(' '))
      },
    })

    await site.report(await site.tokens())

    await site.waitForOutcomes(51)
    await site.closeAndSummarize()
    assert.equal(site.sandbox.closient.calls.length, 1)
    assert.equal(site.sandbox.ens.calls.length, 1)
    assert.equal(site.tracker.stats().closient?.delivered, 50)
  })

  it('count a campaign once per offer where Closient is told so', async () => {
    await using site = await VisibleSite.start({
      networks: ({ closient: { apiKey, baseUrl } }) => [
        closient({ apiKey, baseUrl, perOffer: true }),
      ],
      page({ trackImpression: { whenVisible }, answer }) {
        const ads = [1, 2, 2].map((n) => whenVisible({ ...closientAd(), offerId: shortuuid(n) }))
        answer(ads.join(' '))
      },
    })

    await site.report(await site.tokens())

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'closient duplicate',
    ])
  })

  it('count what its page holds still, though that breaks off after the ad was seen', async () => {
    await using site = await VisibleSite.start({
      page({ trackImpression, res }) {
        for (const n of [1, 2]) trackImpression(closientAd(n))
        res.write(`<p ${trackImpression.whenVisible(closientAd(1))}>`)
      },
    })
    const { response, text } = await begun(site)

    await site.report(tokensIn(text))
    response.destroy()

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient duplicate',
      'closient suppressed: aborted',
    ])
  })

  it('count once what its page holds still, and the rest once that has finished', async () => {
    const shown = createDeferred()
    await using site = await VisibleSite.start({
      async page({ trackImpression, res }) {
        for (const n of [1, 2]) trackImpression(closientAd(n))
        res.write(`<p ${trackImpression.whenVisible(closientAd(1))}>`)
        await shown.promise
        res.end()
      },
    })
    const { response, text } = await begun(site)

    await site.report(tokensIn(text))
    await site.waitForOutcomes(2)
    assert.deepEqual(site.summaries, ['closient delivered', 'closient duplicate'])
    shown.resolve()
    await once(response.resume(), 'end')

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'closient duplicate',
    ])
  })

  it('count once for each page load, and the page’s own', async () => {
    await using site = await VisibleSite.start()

    await site.report([...(await site.tokens()), ...(await site.tokens())])

    await site.waitForOutcomes(4)
    assert.equal(new Set(site.outcomes.map(({ requestId }) => requestId)).size, 2)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, delivered: 2 })
  })

  it('count once for a page and the fragments that it fetches', async () => {
    await using site = await VisibleSite.start({
      page: ({ trackImpression, answer }) => answer(trackImpression.whenVisible(ensAd())),
      options: { pageLoadCookie: true },
    })
    const page = await site.ask('/', { accept: 'text/html' })
    const cookie = String(page.headers['set-cookie']?.[0]?.split(';', 1)[0])
    const fragment = await site.ask('/part', { 'hx-request': 'true', cookie })

    await site.report(tokensIn(page.text))
    await site.report(tokensIn(fragment.text))

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens duplicate'])
  })

  it('count under the id that the option requestId gives the page, not the report', async () => {
    await using site = await VisibleSite.start({
      options: { requestId: (req) => String(Object(req).headers['x-id']) },
    })
    const tokens = await site.tokens('/', { 'x-id': 'page-1' })

    await site.report(tokens, { ...FROM_OWN_PAGE, 'x-id': 'report-1' })

    await site.waitForOutcomes(2)
    assert.deepEqual([...new Set(site.outcomes.map(({ requestId }) => requestId))], ['page-1'])
  })

  it('count once, seen before the page has rendered them', async () => {
    await using site = await VisibleSite.start({
      options: { requestId: () => 'page-1' },
      page({ trackImpression, req, answer }) {
        if (req.url === '/rendered') trackImpression(ensAd())
        answer(trackImpression.whenVisible(ensAd()))
      },
    })

    await site.report(await site.tokens('/seen'))
    await site.ask('/rendered')

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens duplicate'])
  })

  it('are dropped once the tracker has closed', async () => {
    await using site = await VisibleSite.start()
    const tokens = await site.tokens()
    await site.tracker.close()

    assert.equal((await site.report(tokens)).status, 204)

    assert.deepEqual(site.summaries, ['closient dropped: closed', 'ens dropped: closed'])
  })
})
