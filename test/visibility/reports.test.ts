import assert from 'node:assert/strict'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { BOT_HEADERS } from '../page-load/fetch-page.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { SAME_ORIGIN_HEADERS, SERVERS, twoAds, VisibleSite } from './visible-site.js'

const ONE_INVALID = { tracked: 1, invalid: 1 }

for (const server of SERVERS) {
  describe(`an ad that a browser reports to ${server.name}`, () => {
    it('counts when it is reported, under the request id of its page', async () => {
      let requestId = ''
      await using site = await VisibleSite.start({
        server,
        page(visit) {
          requestId = visit.trackImpression.requestId
          return twoAds(visit)
        },
      })

      const tokens = await site.fetchTokens()
      assert.equal(tokens.length, 2)
      assert.deepEqual(omitZeros(site.tracker.stats().ens), {})
      const response = await site.sendReport(tokens)

      assert.deepEqual([response.status, response.text], [204, ''])
      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
      assert.deepEqual(new Set(site.outcomes.map((event) => event.requestId)), new Set([requestId]))
    })

    it('is told with the placement and the offer that the page gave', async () => {
      const offerId = '2222222222222222222223'
      await using site = await VisibleSite.start({
        server,
        page({ trackImpression: { whenVisible }, answer }) {
          answer(`${whenVisible(ensAd())} ${whenVisible({ ...closientAd(), offerId })}`)
        },
      })

      await site.sendReport(await site.fetchTokens())

      await site.waitForOutcomes(2)
      const told = site.outcomes.map(({ network, placement, offerId }) => ({
        network,
        placement,
        offerId,
      }))
      assert.deepEqual(
        new Set(told),
        new Set([
          { network: 'ens', placement: 'header_banner', offerId: undefined },
          { network: 'closient', placement: undefined, offerId },
        ]),
      )
    })

    it('counts once if it is reported twice, in one report or in several', async () => {
      await using site = await VisibleSite.start({ server })
      const [ens = '', closient = ''] = await site.fetchTokens()

      await site.sendReport([ens, ens])
      await site.sendReport([closient])
      await site.sendReport([ens, closient])

      await site.waitForOutcomes(4)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient delivered',
        'closient duplicate',
        'ens delivered',
        'ens duplicate',
      ])
    })

    it('counts once if the page also tracked it when it was rendered', async () => {
      await using site = await VisibleSite.start({
        server,
        page({ trackImpression, answer }) {
          trackImpression(ensAd())
          trackImpression(closientAd())
          const { whenVisible } = trackImpression
          answer(`${whenVisible(ensAd())} ${whenVisible(closientAd())}`)
        },
      })

      await site.sendReport(await site.fetchTokens())

      await site.waitForOutcomes(4)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient delivered',
        'closient duplicate',
        'ens delivered',
        'ens duplicate',
      ])
    })

    it('does not count if a bot reports it', async () => {
      await using site = await VisibleSite.start({ server })

      const { status } = await site.sendReport(await site.fetchTokens(), {
        ...SAME_ORIGIN_HEADERS,
        ...BOT_HEADERS,
      })

      assert.equal(status, 204)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient suppressed: bot',
        'ens suppressed: bot',
      ])
    })

    it('counts if a person reports it after a bot did', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.fetchTokens()

      await site.sendReport([token], { ...SAME_ORIGIN_HEADERS, ...BOT_HEADERS })
      await site.sendReport([token])

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens suppressed: bot'])
    })

    it('does not count with any method other than POST', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.fetchTokens()

      for (const method of ['GET', 'OPTIONS', 'PUT', 'DELETE']) {
        const path = `/_visible?${encodeURIComponent(JSON.stringify([token]))}`
        const { status, headers } = await site.request(path, SAME_ORIGIN_HEADERS, method)
        assert.deepEqual([status, headers.allow], [405, 'POST'], method)
      }

      assert.deepEqual(site.outcomes, [])
      assert.deepEqual(omitZeros(site.tracker.stats().unknown), {})
    })
  })

  describe(`a report to ${server.name}`, () => {
    const HOST = '127.0.0.1'
    const type = { 'content-type': 'text/plain;charset=UTF-8' }
    const crossOrigin: Readonly<Record<string, (port: number) => Record<string, string>>> = {
      'another site': () => ({ 'sec-fetch-site': 'cross-site' }),
      'another host of the same site': () => ({ 'sec-fetch-site': 'same-site' }),
      'no page': () => ({ 'sec-fetch-site': 'none' }),
      'another site that claims this origin': (port) => ({
        'sec-fetch-site': 'cross-site',
        origin: `http://${HOST}:${port}`,
      }),
      'another origin': () => ({ origin: 'https://evil.example' }),
      'another port': (port) => ({ origin: `http://${HOST}:${port - 1}` }),
      'an origin whose name contains the host': (port) => ({
        origin: `http://${HOST}.evil.example:${port}`,
      }),
      'a sandboxed frame': () => ({ origin: 'null' }),
      'an invalid origin': () => ({ origin: '//' }),
      'an unknown origin': () => ({}),
    }
    for (const [source, makeHeaders] of Object.entries(crossOrigin)) {
      it(`does not count if it comes from ${source}`, async () => {
        await using site = await VisibleSite.start({ server })
        const tokens = await site.fetchTokens()

        const { status } = await site.sendReport(tokens, { ...type, ...makeHeaders(site.port) })

        assert.equal(status, 204)
        assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
        assert.deepEqual(omitZeros(site.tracker.stats().unknown), ONE_INVALID)
        assert.match(site.logLines.join(), /expected a request from a page of this site/)
      })
    }

    it('counts if its Origin is right and the browser sends no Sec-Fetch-Site', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.fetchTokens()

      await site.sendReport([token], { ...type, origin: `http://${HOST}:${site.port}` })

      await site.waitForOutcomes(1)
      assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
    })

    it('gets the same response whether it is valid or not', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.fetchTokens()
      const bodies = [[token], [token], ['forged'], [], '', '{', '{}', '[7]', 'null']
      const responses = new Set<string>()

      for (const headers of [
        SAME_ORIGIN_HEADERS,
        type,
        { ...SAME_ORIGIN_HEADERS, ...BOT_HEADERS },
      ]) {
        for (const body of bodies) {
          const { status, headers: responseHeaders, text } = await site.sendReport(body, headers)
          const { 'cache-control': caching, ...others } = responseHeaders
          const names = Object.keys(others).toSorted()
          responses.add(JSON.stringify([status, caching, names, text]))
        }
      }

      assert.equal(responses.size, 1, [...responses].join('\n'))
      assert.match([...responses].join(), /^\[204,"no-store",/)
    })
  })
}
