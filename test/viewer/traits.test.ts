import assert from 'node:assert/strict'
import { CDNS } from '../../lib/viewer/country.js'
import { CHROME, FRAMEWORKS, NAVIGATION, type Page, Site } from '../request/site.js'
import { SENT_BY_CDN } from './cdn-headers.js'

const ensAd: Page = ({ track }) => {
  track({ campaignId: 42, placement: 'header_banner' })
  return 'page'
}

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1'
const TV =
  'Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/5.0 TV Safari/537.36'

for (const framework of FRAMEWORKS) {
  describe(`the viewer's traits, with ${framework}`, () => {
    /** What ENS was told of the viewer who sent these headers. */
    async function toldOf(
      headers: Record<string, string>,
      options: Parameters<typeof Site.start>[0] = {},
    ) {
      await using site = await Site.start({ framework, page: ensAd, ...options })
      await site.get('/', { ...NAVIGATION, ...headers })
      await site.told(1)
      const [impression] = site.sandbox.ens.impressions
      assert.ok(impression)
      const { at: _at, call: _call, campaignId: _id, placement: _placement, ...traits } = impression
      return { traits, log: site.log }
    }

    it('tell the device by the User-Agent', async () => {
      assert.deepEqual((await toldOf({ 'user-agent': CHROME })).traits, { device: 'desktop' })
      assert.deepEqual((await toldOf({ 'user-agent': IPHONE })).traits, { device: 'mobile' })
    })

    it('tell the device by client hints before the User-Agent', async () => {
      const { traits } = await toldOf({ 'sec-ch-ua-form-factors': '"Tablet"' })
      assert.deepEqual(traits, { device: 'tablet' })
    })

    it('leave the device of a TV out', async () => {
      assert.deepEqual((await toldOf({ 'user-agent': TV })).traits, {})
    })

    it('tell the device by the option, which is given what the framework calls a request', async () => {
      const { traits } = await toldOf(
        { 'x-device': 'tablet' },
        {
          options: { device: (source) => (source.get('x-device') === 'tablet' ? 'tablet' : null) },
        },
      )
      assert.deepEqual(traits, { device: 'tablet' })
    })

    it('leave out what a device option throws or makes up, and log it', async () => {
      const wrong: ((source: unknown) => never)[] = [
        () => {
          throw new Error('no such table')
        },
        () => 'watch' as never,
        () => Promise.reject(new Error('too late')) as never,
      ]
      const said = [/device threw: no such table/, /device: expected/, /device returned a promise/]
      for (const [i, device] of wrong.entries()) {
        const { traits, log } = await toldOf({}, { options: { device } })
        assert.deepEqual(traits, {})
        assert.match(log.map(({ message }) => message).join('\n'), said[i] ?? /^$/)
      }
    })

    for (const cdn of CDNS) {
      it(`tell the country by the header of ${cdn}, if that is named`, async () => {
        const [name, value] = SENT_BY_CDN[cdn]
        const { traits } = await toldOf({ [name]: value('nz') }, { options: { country: cdn } })
        assert.deepEqual(traits, { device: 'desktop', location: 'NZ' })
      })
    }

    it('tell no country by any header unasked', async () => {
      const headers = Object.fromEntries(
        CDNS.map((cdn) => [SENT_BY_CDN[cdn][0], SENT_BY_CDN[cdn][1]('NZ')]),
      )
      assert.deepEqual((await toldOf(headers)).traits, { device: 'desktop' })
    })

    it('tell no country where the CDN knows none', async () => {
      for (const code of ['XX', 'T1', 'ZZ', 'AP', 'EU', '']) {
        const { traits, log } = await toldOf(
          { 'cf-ipcountry': code },
          { options: { country: 'cloudflare' } },
        )
        assert.deepEqual([traits, log], [{ device: 'desktop' }, []], code)
      }
    })

    it('tell the country by a function', async () => {
      const { traits } = await toldOf({}, { options: { country: () => 'de' } })
      assert.deepEqual(traits, { device: 'desktop', location: 'DE' })
    })

    it('leave the country out silently where the function knows none', async () => {
      for (const answer of [undefined, null, '', 'XX', 'T1']) {
        const { traits, log } = await toldOf({}, { options: { country: () => answer } })
        assert.deepEqual([traits, log], [{ device: 'desktop' }, []], String(answer))
      }
    })

    it('leave the country out, and log it, where the function is wrong', async () => {
      const wrong: (() => never)[] = [
        () => {
          throw new Error('no database')
        },
        () => 'Germany' as never,
        () => 49 as never,
        () => Promise.reject(new Error('too late')) as never,
      ]
      for (const country of wrong) {
        const { traits, log } = await toldOf({}, { options: { country } })
        assert.deepEqual(traits, { device: 'desktop' })
        assert.equal(log.length, 1)
        assert.match(log[0]?.message ?? '', /option country/)
      }
    })
  })
}
