import assert from 'node:assert/strict'
import { nonZero } from '../page-load/books.js'
import { ROBOT } from '../page-load/browser.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { FROM_OWN_PAGE, SERVERS, twoAds, VisibleSite } from './visible-site.js'

const FOREIGN = { tracked: 1, invalid: 1 }

for (const server of SERVERS) {
  describe(`what a page of ${server.name} has shown`, () => {
    it('counts once it is seen, under the page’s own request id', async () => {
      let requestId = ''
      await using site = await VisibleSite.start({
        server,
        page(visit) {
          requestId = visit.trackImpression.requestId
          return twoAds(visit)
        },
      })

      const tokens = await site.tokens()
      assert.equal(tokens.length, 2)
      assert.deepEqual(nonZero(site.tracker.stats().ens), {})
      const answer = await site.report(tokens)

      assert.deepEqual([answer.status, answer.text], [204, ''])
      await site.whenTold(2)
      assert.deepEqual(await site.settled(), ['closient delivered', 'ens delivered'])
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

      await site.report(await site.tokens())

      await site.whenTold(2)
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

    it('counts once, reported twice, alone and in one report', async () => {
      await using site = await VisibleSite.start({ server })
      const [ens = '', closient = ''] = await site.tokens()

      await site.report([ens, ens])
      await site.report([closient])
      await site.report([ens, closient])

      await site.whenTold(5)
      assert.deepEqual(await site.settled(), [
        'closient delivered',
        'closient duplicate',
        'ens delivered',
        'ens duplicate',
        'ens duplicate',
      ])
    })

    it('counts once, rendered before it was seen', async () => {
      await using site = await VisibleSite.start({
        server,
        page({ trackImpression, answer }) {
          trackImpression(ensAd())
          trackImpression(closientAd())
          const { whenVisible } = trackImpression
          answer(`${whenVisible(ensAd())} ${whenVisible(closientAd())}`)
        },
      })

      await site.report(await site.tokens())

      await site.whenTold(4)
      assert.deepEqual(await site.settled(), [
        'closient delivered',
        'closient duplicate',
        'ens delivered',
        'ens duplicate',
      ])
    })

    it('counts nothing for a robot', async () => {
      await using site = await VisibleSite.start({ server })

      const { status } = await site.report(await site.tokens(), { ...FROM_OWN_PAGE, ...ROBOT })

      assert.equal(status, 204)
      assert.deepEqual(await site.settled(), ['closient suppressed: bot', 'ens suppressed: bot'])
    })

    it('counts for a person, whose report a robot has sent before', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.tokens()

      await site.report([token], { ...FROM_OWN_PAGE, ...ROBOT })
      await site.report([token])

      await site.whenTold(2)
      assert.deepEqual(await site.settled(), ['ens delivered', 'ens suppressed: bot'])
    })

    it('counts nothing by any method but POST', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.tokens()

      for (const method of ['GET', 'OPTIONS', 'PUT', 'DELETE']) {
        const path = `/_visible?${encodeURIComponent(JSON.stringify([token]))}`
        const { status, headers } = await site.ask(path, FROM_OWN_PAGE, method)
        assert.deepEqual([status, headers.allow], [405, 'POST'], method)
      }

      assert.deepEqual(site.outcomes, [])
      assert.deepEqual(nonZero(site.tracker.stats().unknown), {})
    })
  })

  describe(`a report to ${server.name}`, () => {
    const HOST = '127.0.0.1'
    const type = { 'content-type': 'text/plain;charset=UTF-8' }
    const strangers: Readonly<Record<string, (port: number) => Record<string, string>>> = {
      'of another site': () => ({ 'sec-fetch-site': 'cross-site' }),
      'of a sibling host': () => ({ 'sec-fetch-site': 'same-site' }),
      'of no page at all': () => ({ 'sec-fetch-site': 'none' }),
      'that says it is both': (port) => ({
        'sec-fetch-site': 'cross-site',
        origin: `http://${HOST}:${port}`,
      }),
      'of another origin': () => ({ origin: 'https://evil.example' }),
      'of another port': (port) => ({ origin: `http://${HOST}:${port - 1}` }),
      'of an origin that has the host in its name': (port) => ({
        origin: `http://${HOST}.evil.example:${port}`,
      }),
      'of a sandboxed frame': () => ({ origin: 'null' }),
      'of an origin that is none': () => ({ origin: '//' }),
      'that says nothing of whence it comes': () => ({}),
    }
    for (const [whose, headersAt] of Object.entries(strangers)) {
      it(`counts nothing: one ${whose}`, async () => {
        await using site = await VisibleSite.start({ server })
        const tokens = await site.tokens()

        const { status } = await site.report(tokens, { ...type, ...headersAt(site.port) })

        assert.equal(status, 204)
        assert.deepEqual(await site.settled(), ['unknown invalid'])
        assert.deepEqual(nonZero(site.tracker.stats().unknown), FOREIGN)
        assert.match(site.lines.join(), /expected one that a page of this site has sent/)
      })
    }

    it('counts by its Origin where the browser sends no Sec-Fetch-Site', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.tokens()

      await site.report([token], { ...type, origin: `http://${HOST}:${site.port}` })

      await site.whenTold(1)
      assert.deepEqual(await site.settled(), ['ens delivered'])
    })

    it('is answered alike, whatever is in it', async () => {
      await using site = await VisibleSite.start({ server })
      const [token = ''] = await site.tokens()
      const bodies = [[token], [token], ['forged'], [], '', '{', '{}', '[7]', 'null']
      const answers = new Set<string>()

      for (const headers of [FROM_OWN_PAGE, type, { ...FROM_OWN_PAGE, ...ROBOT }]) {
        for (const body of bodies) {
          const { status, headers: answered, text } = await site.report(body, headers)
          answers.add(JSON.stringify([status, { ...answered, date: '' }, text]))
        }
      }

      assert.equal(answers.size, 1, [...answers].join('\n'))
      assert.match([...answers].join(), /^\[204,\{.*"cache-control":"no-store"/)
    })
  })
}
