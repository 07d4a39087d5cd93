import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { closient } from '../../lib/networks/closient.js'
import { closientAd, ensAd, shortuuid } from '../page-load/campaigns.js'
import { createDeferred } from '../page-load/deferred.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { omitZeros } from '../page-load/stats-assertions.js'

import { findTokens, SAME_ORIGIN_HEADERS, VisibleSite } from './visible-site.js'

/** Requests a page whose response does not end. @returns the response and its first chunk */
async function startPage({
  port,
}: VisibleSite): Promise<{ response: IncomingMessage; text: string }> {
  const response = await new Promise<IncomingMessage>((resolve) => {
    get({ port, headers: BROWSER_HEADERS }, resolve)
  })
  const [chunk] = await once(response, 'data')
  return { response, text: String(chunk) }
}

describe('the impressions of a report', () => {
  it('are sent to Closient in one call if they have the same search query', async () => {
    await using site = await VisibleSite.start({
      page({ trackImpression: { whenVisible }, answer }) {
        const ads = Array.from({ length: 50 }, (_, n) => whenVisible(closientAd(n)))
        answer([...ads, whenVisible(ensAd())].join(' '))
      },
    })

    await site.sendReport(await site.fetchTokens())

    await site.waitForOutcomes(51)
    await site.closeAndSummarize()
    assert.equal(site.sandbox.closient.calls.length, 1)
    assert.equal(site.sandbox.ens.calls.length, 1)
    assert.equal(site.tracker.stats().closient?.delivered, 50)
  })

  it('count a campaign once per offer with the option perOffer of Closient', async () => {
    await using site = await VisibleSite.start({
      networks: ({ closient: { apiKey, baseUrl } }) => [
        closient({ apiKey, baseUrl, perOffer: true }),
      ],
      page({ trackImpression: { whenVisible }, answer }) {
        const ads = [1, 2, 2].map((n) => whenVisible({ ...closientAd(), offerId: shortuuid(n) }))
        answer(ads.join(' '))
      },
    })

    for (const token of await site.fetchTokens()) await site.sendReport([token])

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'closient duplicate',
    ])
  })

  it('include those that the page holds, even if its response is aborted later', async () => {
    await using site = await VisibleSite.start({
      page({ trackImpression, res }) {
        for (const n of [1, 2]) trackImpression(closientAd(n))
        res.write(`<p ${trackImpression.whenVisible(closientAd(1))}>`)
      },
    })
    const { response, text } = await startPage(site)

    await site.sendReport(findTokens(text))
    response.destroy()

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient duplicate',
      'closient suppressed: aborted',
    ])
  })

  it('include those that the page holds; the others count when its response finishes', async () => {
    const canFinish = createDeferred()
    await using site = await VisibleSite.start({
      async page({ trackImpression, res }) {
        for (const n of [1, 2]) trackImpression(closientAd(n))
        res.write(`<p ${trackImpression.whenVisible(closientAd(1))}>`)
        await canFinish.promise
        res.end()
      },
    })
    const { response, text } = await startPage(site)

    await site.sendReport(findTokens(text))
    await site.waitForOutcomes(2)
    assert.deepEqual(site.summaries, ['closient delivered', 'closient duplicate'])
    canFinish.resolve()
    await once(response.resume(), 'end')

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'closient duplicate',
    ])
  })

  it('count once for each page load, under its own request id', async () => {
    await using site = await VisibleSite.start()

    await site.sendReport([...(await site.fetchTokens()), ...(await site.fetchTokens())])

    await site.waitForOutcomes(4)
    assert.equal(new Set(site.outcomes.map(({ requestId }) => requestId)).size, 2)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, delivered: 2 })
  })

  it('count once for a page and its fragments', async () => {
    await using site = await VisibleSite.start({
      page: ({ trackImpression, answer }) => answer(trackImpression.whenVisible(ensAd())),
      options: { pageLoadCookie: true },
    })
    const page = await site.request('/', { accept: 'text/html' })
    const cookie = String(page.headers['set-cookie']?.[0]?.split(';', 1)[0])
    const fragment = await site.request('/part', { 'hx-request': 'true', cookie })

    await site.sendReport(findTokens(page.text))
    await site.sendReport(findTokens(fragment.text))

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens duplicate'])
  })

  it('count under the request id of the page, not of the report', async () => {
    await using site = await VisibleSite.start({
      options: { requestId: (req) => String(Object(req).headers['x-id']) },
    })
    const tokens = await site.fetchTokens('/', { 'x-id': 'page-1' })

    await site.sendReport(tokens, { ...SAME_ORIGIN_HEADERS, 'x-id': 'report-1' })

    await site.waitForOutcomes(2)
    assert.deepEqual([...new Set(site.outcomes.map(({ requestId }) => requestId))], ['page-1'])
  })

  it('count once if they are visible before a page with the same request id renders them', async () => {
    await using site = await VisibleSite.start({
      options: { requestId: () => 'page-1' },
      page({ trackImpression, req, answer }) {
        if (req.url === '/rendered') trackImpression(ensAd())
        answer(trackImpression.whenVisible(ensAd()))
      },
    })

    await site.sendReport(await site.fetchTokens('/visible'))
    await site.request('/rendered')

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens duplicate'])
  })

  it('are dropped after the tracker is closed', async () => {
    await using site = await VisibleSite.start()
    const tokens = await site.fetchTokens()
    await site.tracker.close()

    assert.equal((await site.sendReport(tokens)).status, 204)

    assert.deepEqual(site.summaries, ['closient dropped: closed', 'ens dropped: closed'])
  })
})
