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

const refused = (reason: string) => [`closient ${reason}`, `ens ${reason}`]

for (const framework of FRAMEWORKS) {
  describe(`admission, with ${framework}`, () => {
    /** The outcomes of a page with an ad of each network, and what was logged. */
    async function visit(
      headers: Record<string, string>,
      options: Parameters<typeof AdSite.start>[0] = {},
      method = 'GET',
    ) {
      await using site = await AdSite.start({ framework, ...options })
      const { status } = await site.get('/', { ...NAVIGATION_HEADERS, ...headers }, method)
      assert.equal(status, 200)
      const told = [...(await site.waitForOutcomes(2))].sort()
      return { told, log: site.log.map(({ level, message }) => `${level}: ${message}`) }
    }

    describe('of robots', () => {
      const robot = { 'user-agent': GOOGLEBOT }
      const rule = (bots: (source: FrameworkRequest, isKnownBot: boolean) => boolean) => ({
        options: { traffic: { bots } },
      })

      it('is refused', async () => {
        assert.deepEqual((await visit(robot)).told, refused('bot'))
        assert.deepEqual((await visit({})).told, COUNTED)
      })

      it("is granted with 'count'", async () => {
        const { told } = await visit(robot, { options: { traffic: { bots: 'count' } } })
        assert.deepEqual(told, COUNTED)
      })

      it("is a function's to extend", async () => {
        const monitors = rule((source, known) => known || source.get('x-monitor') === '1')
        assert.deepEqual((await visit({}, monitors)).told, COUNTED)
        assert.deepEqual((await visit(robot, monitors)).told, refused('bot'))
        assert.deepEqual((await visit({ 'x-monitor': '1' }, monitors)).told, refused('bot'))
      })

      it("is a function's to replace", async () => {
        const nobody = rule(() => false)
        assert.deepEqual((await visit(robot, nobody)).told, COUNTED)
        const everybody = rule(() => true)
        assert.deepEqual((await visit({}, everybody)).told, refused('bot'))
      })

      it('is left to the list of known robots where the function fails, and that is logged', async () => {
        const wrong: (() => never)[] = [
          () => {
            throw new Error('no list')
          },
          () => 'yes' as never,
          () => undefined as never,
          () => Promise.reject(new Error('too late')) as never,
        ]
        for (const bots of wrong) {
          assert.deepEqual((await visit(robot, rule(bots))).told, refused('bot'))
          const { told, log } = await visit({}, rule(bots))
          assert.deepEqual(told, COUNTED)
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
        it(`is refused: ${JSON.stringify(headers)}`, async () => {
          assert.deepEqual((await visit(headers)).told, refused('prefetch'))
        })
      }

      it("is granted with 'count'", async () => {
        const options = { options: { traffic: { prefetch: 'count' } } } as const
        assert.deepEqual((await visit({ 'sec-purpose': 'prefetch' }, options)).told, COUNTED)
      })
    })

    it('of HEAD requests is refused', async () => {
      assert.deepEqual((await visit({}, {}, 'HEAD')).told, refused('method'))
    })

    describe('by consent', () => {
      it("is the function's to say, of what the framework calls a request", async () => {
        const options = {
          options: { consent: (source: FrameworkRequest) => source.get('sec-gpc') !== '1' },
        }
        assert.deepEqual((await visit({}, options)).told, COUNTED)
        assert.deepEqual((await visit({ 'sec-gpc': '1' }, options)).told, refused('no-consent'))
      })

      it('is asked for once, however many ads the page has', async () => {
        let asked = 0
        const consent = () => {
          asked += 1
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
        assert.equal(asked, 1)
      })

      it('is not asked for where a page tracks nothing, nor of a robot', async () => {
        const consent = () => assert.fail('asked')
        await using site = await AdSite.start({
          framework,
          options: { consent },
          page: (visit) => (visit.req.url === '/ads' ? renderBothAds(visit) : 'no ads'),
        })
        await site.get('/', NAVIGATION_HEADERS)
        await site.get('/ads', { ...NAVIGATION_HEADERS, 'user-agent': GOOGLEBOT })
        assert.deepEqual(site.log, [])
      })

      it('is refused, and the log says so, where the function fails or does not say true or false', async () => {
        const wrong: (() => never)[] = [
          () => {
            throw new Error('no cookie')
          },
          () => 1 as never,
          () => 'granted' as never,
          () => undefined as never,
          () => Promise.resolve(true) as never,
          () => Promise.reject(new Error('too late')) as never,
        ]
        for (const consent of wrong) {
          const { told, log } = await visit({}, { options: { consent } })
          assert.deepEqual(told, refused('no-consent'))
          assert.equal(log.length, 1)
          assert.match(log[0] ?? '', /^error: .*option consent/)
        }
      })
    })
  })
}
