import assert from 'node:assert/strict'
import {
  AdSite,
  FRAMEWORKS,
  type FrameworkRequest,
  NAVIGATION_HEADERS,
  renderBothAds,
} from './ad-site.js'

const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
const COUNTED = ['closient delivered', 'ens delivered']

const suppressedAs = (reason: string) => [`closient ${reason}`, `ens ${reason}`]

for (const framework of FRAMEWORKS) {
  describe(`admission, with ${framework}`, () => {
    /** Requests a page with an ad of each network. Returns the outcomes and the log. */
    async function requestPage(
      headers: Record<string, string>,
      options: Parameters<typeof AdSite.start>[0] = {},
      method = 'GET',
    ) {
      await using site = await AdSite.start({ framework, ...options })
      const { status } = await site.get('/', { ...NAVIGATION_HEADERS, ...headers }, method)
      assert.equal(status, 200)
      const outcomes = [...(await site.waitForOutcomes(2))].sort()
      return { outcomes, log: site.log.map(({ level, message }) => `${level}: ${message}`) }
    }

    describe('of bots', () => {
      const bot = { 'user-agent': GOOGLEBOT }
      const rule = (bots: (source: FrameworkRequest, isKnownBot: boolean) => boolean) => ({
        options: { traffic: { bots } },
      })

      it('is denied', async () => {
        assert.deepEqual((await requestPage(bot)).outcomes, suppressedAs('bot'))
        assert.deepEqual((await requestPage({})).outcomes, COUNTED)
      })

      it("is granted with the rule 'count'", async () => {
        const { outcomes } = await requestPage(bot, { options: { traffic: { bots: 'count' } } })
        assert.deepEqual(outcomes, COUNTED)
      })

      it('can be extended by a function', async () => {
        const orMonitor = rule(
          (source, isKnownBot) => isKnownBot || source.get('x-monitor') === '1',
        )
        assert.deepEqual((await requestPage({}, orMonitor)).outcomes, COUNTED)
        assert.deepEqual((await requestPage(bot, orMonitor)).outcomes, suppressedAs('bot'))
        assert.deepEqual(
          (await requestPage({ 'x-monitor': '1' }, orMonitor)).outcomes,
          suppressedAs('bot'),
        )
      })

      it('can be decided by a function alone', async () => {
        const never = rule(() => false)
        assert.deepEqual((await requestPage(bot, never)).outcomes, COUNTED)
        const always = rule(() => true)
        assert.deepEqual((await requestPage({}, always)).outcomes, suppressedAs('bot'))
      })

      it('depends on the list of known bots if the function fails, and an error is logged', async () => {
        const failing: (() => never)[] = [
          () => {
            throw new Error('no list')
          },
          () => 'yes' as never,
          () => undefined as never,
          () => Promise.reject(new Error('too late')) as never,
        ]
        for (const bots of failing) {
          assert.deepEqual((await requestPage(bot, rule(bots))).outcomes, suppressedAs('bot'))
          const { outcomes, log } = await requestPage({}, rule(bots))
          assert.deepEqual(outcomes, COUNTED)
          assert.equal(log.length, 1)
          assert.match(log[0] ?? '', /^error: .*option traffic\.bots/)
        }
      })
    })

    describe('of speculative loads', () => {
      const speculative = [
        { 'sec-purpose': 'prefetch' },
        { 'sec-purpose': 'prefetch;prerender' },
        { purpose: 'prefetch' },
        { 'x-moz': 'prefetch' },
        { 'x-purpose': 'preview' },
      ]
      for (const headers of speculative) {
        it(`is denied: ${JSON.stringify(headers)}`, async () => {
          assert.deepEqual((await requestPage(headers)).outcomes, suppressedAs('prefetch'))
        })
      }

      it("is granted with the rule 'count'", async () => {
        const options = { options: { traffic: { prefetch: 'count' } } } as const
        assert.deepEqual(
          (await requestPage({ 'sec-purpose': 'prefetch' }, options)).outcomes,
          COUNTED,
        )
      })
    })

    it('of HEAD requests is denied', async () => {
      assert.deepEqual((await requestPage({}, {}, 'HEAD')).outcomes, suppressedAs('method'))
    })

    describe('by consent', () => {
      it("is decided by the function, which receives the framework's request", async () => {
        const options = {
          options: { consent: (source: FrameworkRequest) => source.get('sec-gpc') !== '1' },
        }
        assert.deepEqual((await requestPage({}, options)).outcomes, COUNTED)
        assert.deepEqual(
          (await requestPage({ 'sec-gpc': '1' }, options)).outcomes,
          suppressedAs('no-consent'),
        )
      })

      it('is requested once, however many ads the page has', async () => {
        let calls = 0
        const consent = () => {
          calls += 1
          return true
        }
        await using site = await AdSite.start({
          framework,
          options: { consent },
          page: (visit) => {
            renderBothAds(visit)
            return renderBothAds(visit)
          },
        })
        await site.get('/', NAVIGATION_HEADERS)
        await site.waitForOutcomes(4)
        assert.equal(calls, 1)
      })

      it('is not requested for a page that tracks nothing, nor for a bot', async () => {
        const consent = () => assert.fail('called')
        await using site = await AdSite.start({
          framework,
          options: { consent },
          page: (visit) => (visit.req.url === '/ads' ? renderBothAds(visit) : 'no ads'),
        })
        await site.get('/', NAVIGATION_HEADERS)
        await site.get('/ads', { ...NAVIGATION_HEADERS, 'user-agent': GOOGLEBOT })
        assert.deepEqual(site.log, [])
      })

      it('is missing, and an error is logged, if the function fails or returns no boolean', async () => {
        const failing: (() => never)[] = [
          () => {
            throw new Error('no cookie')
          },
          () => 1 as never,
          () => 'granted' as never,
          () => undefined as never,
          () => Promise.resolve(true) as never,
          () => Promise.reject(new Error('too late')) as never,
        ]
        for (const consent of failing) {
          const { outcomes, log } = await requestPage({}, { options: { consent } })
          assert.deepEqual(outcomes, suppressedAs('no-consent'))
          assert.equal(log.length, 1)
          assert.match(log[0] ?? '', /^error: .*option consent/)
        }
      })
    })
  })
}
