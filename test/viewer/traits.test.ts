import assert from 'node:assert/strict'
import { CDNS } from '../../lib/viewer/country.js'
import {
  AdSite,
  CHROME_USER_AGENT,
  FRAMEWORKS,
  NAVIGATION_HEADERS,
  type SitePage,
} from '../request/ad-site.js'
import { CDN_HEADERS } from './cdn-headers.js'

const renderEnsAd: SitePage = ({ track }) => {
  track({ campaignId: 42, placement: 'header_banner' })
  return 'page'
}

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1'
const TV =
  'Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/5.0 TV Safari/537.36'

for (const framework of FRAMEWORKS) {
  describe(`the viewer's traits, with ${framework}`, () => {
    /** The traits that ENS receives for a viewer with these headers, and the log. */
    async function trackWith(
      headers: Record<string, string>,
      options: Parameters<typeof AdSite.start>[0] = {},
    ) {
      await using site = await AdSite.start({ framework, page: renderEnsAd, ...options })
      await site.get('/', { ...NAVIGATION_HEADERS, ...headers })
      await site.waitForOutcomes(1)
      const [impression] = site.sandbox.ens.impressions
      assert.ok(impression)
      const { at: _at, call: _call, campaignId: _id, placement: _placement, ...traits } = impression
      return { traits, log: site.log }
    }

    it('contain the device from the User-Agent', async () => {
      assert.deepEqual((await trackWith({ 'user-agent': CHROME_USER_AGENT })).traits, {
        device: 'desktop',
      })
      assert.deepEqual((await trackWith({ 'user-agent': IPHONE })).traits, { device: 'mobile' })
    })

    it('contain the device from client hints rather than the User-Agent', async () => {
      const { traits } = await trackWith({ 'sec-ch-ua-form-factors': '"Tablet"' })
      assert.deepEqual(traits, { device: 'tablet' })
    })

    it('do not contain the device of a TV', async () => {
      assert.deepEqual((await trackWith({ 'user-agent': TV })).traits, {})
    })

    it("contain the device from the option, which receives the framework's request", async () => {
      const { traits } = await trackWith(
        { 'x-device': 'tablet' },
        {
          options: { device: (source) => (source.get('x-device') === 'tablet' ? 'tablet' : null) },
        },
      )
      assert.deepEqual(traits, { device: 'tablet' })
    })

    it('do not contain a device if the option fails or returns an invalid one, and that is logged', async () => {
      const failing: ((source: unknown) => never)[] = [
        () => {
          throw new Error('no such table')
        },
        () => 'watch' as never,
        () => Promise.reject(new Error('too late')) as never,
      ]
      const messages = [
        /device threw: no such table/,
        /device: expected/,
        /device returned a promise/,
      ]
      for (const [i, device] of failing.entries()) {
        const { traits, log } = await trackWith({}, { options: { device } })
        assert.deepEqual(traits, {})
        assert.match(log.map(({ message }) => message).join('\n'), messages[i] ?? /^$/)
      }
    })

    for (const cdn of CDNS) {
      it(`contain the country from the header of ${cdn}, if the option names it`, async () => {
        const [name, format] = CDN_HEADERS[cdn]
        const { traits } = await trackWith({ [name]: format('nz') }, { options: { country: cdn } })
        assert.deepEqual(traits, { device: 'desktop', location: 'NZ' })
      })
    }

    it('do not contain a country if the option is not set', async () => {
      const headers = Object.fromEntries(
        CDNS.map((cdn) => [CDN_HEADERS[cdn][0], CDN_HEADERS[cdn][1]('NZ')]),
      )
      assert.deepEqual((await trackWith(headers)).traits, { device: 'desktop' })
    })

    it('do not contain a country that the CDN does not know', async () => {
      for (const code of ['XX', 'T1', 'ZZ', 'AP', 'EU', '']) {
        const { traits, log } = await trackWith(
          { 'cf-ipcountry': code },
          { options: { country: 'cloudflare' } },
        )
        assert.deepEqual([traits, log], [{ device: 'desktop' }, []], code)
      }
    })

    it('contain the country from a function', async () => {
      const { traits } = await trackWith({}, { options: { country: () => 'de' } })
      assert.deepEqual(traits, { device: 'desktop', location: 'DE' })
    })

    it('do not contain a country that the function does not know, and nothing is logged', async () => {
      for (const country of [undefined, null, '', 'XX', 'T1']) {
        const { traits, log } = await trackWith({}, { options: { country: () => country } })
        assert.deepEqual([traits, log], [{ device: 'desktop' }, []], String(country))
      }
    })

    it('do not contain a country if the function fails or returns an invalid one, and that is logged', async () => {
      const failing: (() => never)[] = [
        () => {
          throw new Error('no database')
        },
        () => 'Germany' as never,
        () => 49 as never,
        () => Promise.reject(new Error('too late')) as never,
      ]
      for (const country of failing) {
        const { traits, log } = await trackWith({}, { options: { country } })
        assert.deepEqual(traits, { device: 'desktop' })
        assert.equal(log.length, 1)
        assert.match(log[0]?.message ?? '', /option country/)
      }
    })
  })
}
