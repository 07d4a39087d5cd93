import assert from 'node:assert/strict'
import {
  AdSite,
  BARE_NAVIGATION_HEADERS,
  FRAGMENT_HEADERS,
  FRAMEWORKS,
  type FrameworkRequest,
  listCampaignIds,
  NAVIGATION_HEADERS,
  type PageResponse,
  renderAdsByPath,
  renderBothAds,
  toCookieHeader,
} from './ad-site.js'
import { BrowserTab } from './browser-tab.js'

for (const framework of FRAMEWORKS) {
  describe(`the page-load cookie, with ${framework}`, () => {
    const start = (settings: Parameters<typeof AdSite.start>[0] = {}) =>
      AdSite.start({
        framework,
        page: renderAdsByPath,
        ...settings,
        options: { pageLoadCookie: true, ...settings.options },
      })

    describe('makes a fragment part of the page load:', () => {
      it('a campaign of the page does not count again, another one counts', async () => {
        await using site = await start()
        const tab = new BrowserTab(site)
        await tab.open('/1')
        await tab.fetch('/1/2')
        await tab.fetch('/2/1')
        await site.waitForOutcomes(5)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 2])
        assert.equal(new Set(site.outcomes.map(({ requestId }) => requestId)).size, 1)
      })

      it('for both networks', async () => {
        await using site = await start({ page: renderBothAds })
        const tab = new BrowserTab(site)
        await tab.open('/')
        await site.waitForOutcomes(2)
        await tab.fetch('/')
        const outcomes = await site.waitForOutcomes(4)
        assert.deepEqual(outcomes.slice(2).sort(), ['closient duplicate', 'ens duplicate'])
      })

      it('until the next page load, which counts again', async () => {
        await using site = await start()
        const tab = new BrowserTab(site)
        for (const _ of [1, 2]) {
          await tab.open('/1')
          await tab.fetch('/1')
        }
        await site.waitForOutcomes(4)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1])
      })

      const fragments: [name: string, headers: Record<string, string>][] = [
        ['an iframe', { ...NAVIGATION_HEADERS, 'sec-fetch-dest': 'iframe' }],
        ['an XHR without Fetch Metadata', { ...BARE_NAVIGATION_HEADERS, accept: '*/*' }],
        [
          'an XHR by jQuery over http',
          { ...BARE_NAVIGATION_HEADERS, 'x-requested-with': 'XMLHttpRequest' },
        ],
        ['a request by htmx over http', { ...BARE_NAVIGATION_HEADERS, 'hx-request': 'true' }],
      ]
      for (const [name, headers] of fragments) {
        it(name, async () => {
          await using site = await start()
          const cookie = toCookieHeader(await site.get('/1', NAVIGATION_HEADERS))
          await site.get('/1', { ...headers, cookie })
          assert.deepEqual(await site.waitForOutcomes(2), ['ens delivered', 'ens duplicate'].sort())
        })
      }

      for (const header of ['hx-boosted', 'hx-history-restore-request']) {
        it(`but not a page that htmx loads with ${header}, which starts its own`, async () => {
          await using site = await start()
          const cookie = toCookieHeader(await site.get('/1', NAVIGATION_HEADERS))
          const htmx = { ...FRAGMENT_HEADERS, 'hx-request': 'true', [header]: 'true' }
          const next = await site.get('/1', { ...htmx, cookie })
          assert.notEqual(toCookieHeader(next), cookie)
          await site.get('/1', { ...FRAGMENT_HEADERS, cookie: toCookieHeader(next) })
          await site.waitForOutcomes(3)
          assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1])
        })
      }

      it('but not a fragment without the cookie', async () => {
        await using site = await start()
        await site.get('/1', NAVIGATION_HEADERS)
        await site.get('/1', FRAGMENT_HEADERS)
        assert.deepEqual(await site.waitForOutcomes(2), ['ens delivered', 'ens delivered'])
      })

      it('unless the page load was evicted, and then it counts again', async () => {
        await using site = await start({ options: { dedupe: { max: 1 } } })
        const tab = new BrowserTab(site)
        await tab.open('/1')
        await new BrowserTab(site).open('/9')
        await tab.fetch('/1')
        await tab.fetch('/1')
        await site.waitForOutcomes(4)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1, 9])
      })
    })

    describe('in two tabs', () => {
      it('assigns each fragment to the page whose address it names', async () => {
        await using site = await start()
        const jar = {}
        const [first, second] = [new BrowserTab(site, jar), new BrowserTab(site, jar)]
        await first.open('/news/1')
        await second.open('/sport/2')
        await first.fetch('/1')
        await second.fetch('/2')
        await first.fetch('/2')
        await second.fetch('/1')
        await site.waitForOutcomes(6)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1, 2, 2])
      })

      it('assigns fragments to the second tab if both have the same address', async () => {
        await using site = await start({
          page: (visit) => {
            const campaignId = visit.req.headers['x-ad']
            visit.track({ campaignId: Number(campaignId), placement: 'here' })
            return 'page'
          },
        })
        const openPage = async (ad: string, cookie?: string) =>
          toCookieHeader(
            await site.get('/', { ...NAVIGATION_HEADERS, 'x-ad': ad, ...(cookie && { cookie }) }),
          )
        const cookie = await openPage('2', await openPage('1'))
        // Both tabs display 3, which counts once. The first displays 1 again, which counts again.
        for (const ad of ['3', '3', '1'])
          await site.get('/', { ...FRAGMENT_HEADERS, 'x-ad': ad, cookie })
        await site.waitForOutcomes(5)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 1, 2, 3])
      })

      it('assigns a fragment that does not name its page to the page opened last', async () => {
        await using site = await start()
        const first = toCookieHeader(await site.get('/news/1', NAVIGATION_HEADERS))
        const cookie = toCookieHeader(
          await site.get('/sport/2', { ...NAVIGATION_HEADERS, cookie: first }),
        )
        for (const referer of [undefined, 'nonsense', 'https://elsewhere.example/sport/1']) {
          await site.get('/2', { ...FRAGMENT_HEADERS, cookie, ...(referer && { referer }) })
        }
        await site.waitForOutcomes(5)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 2])
      })

      it("prefers htmx's header with the page's address to the Referer", async () => {
        await using site = await start()
        const first = toCookieHeader(await site.get('/news/1', NAVIGATION_HEADERS))
        const cookie = toCookieHeader(
          await site.get('/sport/2', { ...NAVIGATION_HEADERS, cookie: first }),
        )
        const htmx = { 'hx-request': 'true', 'hx-current-url': `${site.url}/news/1` }
        await site.get('/1', {
          ...FRAGMENT_HEADERS,
          ...htmx,
          referer: `${site.url}/sport/2`,
          cookie,
        })
        await site.waitForOutcomes(3)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 2])
      })

      it('keeps the last five pages in the cookie', async () => {
        await using site = await start()
        const tab = new BrowserTab(site)
        let response: PageResponse | undefined
        for (let page = 1; page <= 30; page++) response = await tab.open(`/page/${page}`)
        assert.equal(response && toCookieHeader(response)?.split('~').length, 5)
        for (const _ of [1, 2, 3]) response = await tab.open('/page/30')
        assert.equal(response && toCookieHeader(response)?.split('~').length, 5)
      })
    })

    describe('together with the requestId option', () => {
      const idOption = {
        options: { requestId: (source: FrameworkRequest) => String(source.get('x-id')) },
      }

      it('has a separate id, which leads to the same page load', async () => {
        await using site = await start(idOption)
        const response = await site.get('/1', { ...NAVIGATION_HEADERS, 'x-id': 'proxy-1' })
        const cookie = toCookieHeader(response)
        assert.doesNotMatch(cookie ?? '', /proxy/)
        await site.get('/1/2', { ...FRAGMENT_HEADERS, cookie, 'x-id': 'proxy-2' })
        await site.waitForOutcomes(3)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1, 2])
      })

      it('is also set by a retried page, because the first response may be lost', async () => {
        await using site = await start(idOption)
        await site.get('/1', { ...NAVIGATION_HEADERS, 'x-id': 'proxy-1' })
        const retried = await site.get('/1', { ...NAVIGATION_HEADERS, 'x-id': 'proxy-1' })
        await site.get('/1', {
          ...FRAGMENT_HEADERS,
          cookie: toCookieHeader(retried),
          'x-id': 'proxy-2',
        })
        await site.waitForOutcomes(3)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1])
      })

      it('leaves fragments without the cookie to the option', async () => {
        await using site = await start(idOption)
        for (const _ of [1, 2]) await site.get('/1', { ...FRAGMENT_HEADERS, 'x-id': 'proxy-1' })
        await site.waitForOutcomes(2)
        assert.deepEqual(listCampaignIds(site, 'delivered'), [1])
      })
    })

    it('is set by the target of a redirect, and not by the redirect', async () => {
      await using site = await start({
        page: (visit) => {
          renderAdsByPath(visit)
          if (visit.req.url !== '/old/1') return 'page'
          visit.res.writeHead(303, { location: '/new/1' }).end()
          return undefined
        },
      })
      const redirect = await site.get('/old/1', NAVIGATION_HEADERS)
      assert.equal(toCookieHeader(redirect), undefined)
      const cookie = toCookieHeader(await site.get('/new/1', NAVIGATION_HEADERS))
      await site.get('/1', { ...FRAGMENT_HEADERS, cookie })
      const outcomes = await site.waitForOutcomes(3)
      assert.equal(outcomes.filter((outcome) => outcome === 'ens duplicate').length, 1)
    })
  })
}
