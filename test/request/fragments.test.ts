import assert from 'node:assert/strict'
import {
  adsByPath,
  BARE_NAVIGATION,
  bothAds,
  cookieOf,
  FRAGMENT,
  FRAMEWORKS,
  type Heard,
  NAVIGATION,
  Site,
  type Source,
} from './site.js'
import { campaigns, Tab } from './tab.js'

for (const framework of FRAMEWORKS) {
  describe(`the page-load cookie, with ${framework}`, () => {
    const start = (more: Parameters<typeof Site.start>[0] = {}) =>
      Site.start({
        framework,
        page: adsByPath,
        ...more,
        options: { pageLoadCookie: true, ...more.options },
      })

    describe('makes a fragment part of the page load:', () => {
      it('a campaign of the page counts no more, another one does', async () => {
        await using site = await start()
        const tab = new Tab(site)
        await tab.open('/1')
        await tab.fetch('/1/2')
        await tab.fetch('/2/1')
        await site.told(5)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 2])
        assert.equal(new Set(site.outcomes.map(({ requestId }) => requestId)).size, 1)
      })

      it('both networks', async () => {
        await using site = await start({ page: bothAds })
        const tab = new Tab(site)
        await tab.open('/')
        await site.told(2)
        await tab.fetch('/')
        const told = await site.told(4)
        assert.deepEqual(told.slice(2).sort(), ['closient duplicate', 'ens duplicate'])
      })

      it('the next page load counts again', async () => {
        await using site = await start()
        const tab = new Tab(site)
        for (const _ of [1, 2]) {
          await tab.open('/1')
          await tab.fetch('/1')
        }
        await site.told(4)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 1])
      })

      const others: [what: string, headers: Record<string, string>][] = [
        ['an iframe', { ...NAVIGATION, 'sec-fetch-dest': 'iframe' }],
        ['an XHR without Fetch Metadata', { ...BARE_NAVIGATION, accept: '*/*' }],
        ["jQuery's XHR over http", { ...BARE_NAVIGATION, 'x-requested-with': 'XMLHttpRequest' }],
        ["htmx's request over http", { ...BARE_NAVIGATION, 'hx-request': 'true' }],
      ]
      for (const [what, headers] of others) {
        it(what, async () => {
          await using site = await start()
          const cookie = cookieOf(await site.get('/1', NAVIGATION))
          await site.get('/1', { ...headers, cookie })
          assert.deepEqual(await site.told(2), ['ens delivered', 'ens duplicate'].sort())
        })
      }

      for (const header of ['hx-boosted', 'hx-history-restore-request']) {
        it(`not a page that htmx loads with ${header}, which begins one`, async () => {
          await using site = await start()
          const cookie = cookieOf(await site.get('/1', NAVIGATION))
          const htmx = { ...FRAGMENT, 'hx-request': 'true', [header]: 'true' }
          const next = await site.get('/1', { ...htmx, cookie })
          assert.notEqual(cookieOf(next), cookie)
          await site.get('/1', { ...FRAGMENT, cookie: cookieOf(next) })
          await site.told(3)
          assert.deepEqual(campaigns(site, 'delivered'), [1, 1])
        })
      }

      it('not one without the cookie', async () => {
        await using site = await start()
        await site.get('/1', NAVIGATION)
        await site.get('/1', FRAGMENT)
        assert.deepEqual(await site.told(2), ['ens delivered', 'ens delivered'])
      })

      it('a page load that was forgotten counts afresh', async () => {
        await using site = await start({ options: { dedupe: { max: 1 } } })
        const tab = new Tab(site)
        await tab.open('/1')
        await new Tab(site).open('/9')
        await tab.fetch('/1')
        await tab.fetch('/1')
        await site.told(4)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 1, 9])
      })
    })

    describe('in two tabs', () => {
      it("tells each page's fragments by their page's address", async () => {
        await using site = await start()
        const jar = {}
        const [first, second] = [new Tab(site, jar), new Tab(site, jar)]
        await first.open('/news/1')
        await second.open('/sport/2')
        await first.fetch('/1')
        await second.fetch('/2')
        await first.fetch('/2')
        await second.fetch('/1')
        await site.told(6)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 1, 2, 2])
      })

      it("takes a first tab's fragments for the second's where both have one address", async () => {
        await using site = await start({
          page: (visit) => {
            const campaignId = visit.req.headers['x-ad']
            visit.track({ campaignId: Number(campaignId), placement: 'here' })
            return 'page'
          },
        })
        const cookieOfPage = async (ad: string, cookie?: string) =>
          cookieOf(await site.get('/', { ...NAVIGATION, 'x-ad': ad, ...(cookie && { cookie }) }))
        const cookie = await cookieOfPage('2', await cookieOfPage('1'))
        // Both tabs show 3: it counts once. The first shows 1 a second time: that counts again.
        for (const ad of ['3', '3', '1']) await site.get('/', { ...FRAGMENT, 'x-ad': ad, cookie })
        await site.told(5)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 1, 2, 3])
      })

      it('takes a fragment that does not name its page for one of the page opened last', async () => {
        await using site = await start()
        const first = cookieOf(await site.get('/news/1', NAVIGATION))
        const cookie = cookieOf(await site.get('/sport/2', { ...NAVIGATION, cookie: first }))
        for (const referer of [undefined, 'nonsense', 'https://elsewhere.example/sport/1']) {
          await site.get('/2', { ...FRAGMENT, cookie, ...(referer && { referer }) })
        }
        await site.told(5)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 2])
      })

      it("believes htmx's word for the page's address before the Referer", async () => {
        await using site = await start()
        const first = cookieOf(await site.get('/news/1', NAVIGATION))
        const cookie = cookieOf(await site.get('/sport/2', { ...NAVIGATION, cookie: first }))
        const htmx = { 'hx-request': 'true', 'hx-current-url': `${site.url}/news/1` }
        await site.get('/1', { ...FRAGMENT, ...htmx, referer: `${site.url}/sport/2`, cookie })
        await site.told(3)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 2])
      })

      it('remembers the last five pages, so that the cookie stays short', async () => {
        await using site = await start()
        const tab = new Tab(site)
        let answer: Heard | undefined
        for (let page = 1; page <= 30; page++) answer = await tab.open(`/page/${page}`)
        assert.equal(answer && cookieOf(answer)?.split('~').length, 5)
        for (const _ of [1, 2, 3]) answer = await tab.open('/page/30')
        assert.equal(answer && cookieOf(answer)?.split('~').length, 5)
      })
    })

    describe('together with the requestId option', () => {
      const byProxy = { options: { requestId: (source: Source) => String(source.get('x-id')) } }

      it('has an id of its own, which leads to the same page load', async () => {
        await using site = await start(byProxy)
        const answer = await site.get('/1', { ...NAVIGATION, 'x-id': 'proxy-1' })
        const cookie = cookieOf(answer)
        assert.doesNotMatch(cookie ?? '', /proxy/)
        await site.get('/1/2', { ...FRAGMENT, cookie, 'x-id': 'proxy-2' })
        await site.told(3)
        assert.deepEqual(campaigns(site, 'delivered'), [1, 2])
      })

      it('is left by a retried page as well, whose first answer may never have arrived', async () => {
        await using site = await start(byProxy)
        await site.get('/1', { ...NAVIGATION, 'x-id': 'proxy-1' })
        const retried = await site.get('/1', { ...NAVIGATION, 'x-id': 'proxy-1' })
        await site.get('/1', { ...FRAGMENT, cookie: cookieOf(retried), 'x-id': 'proxy-2' })
        await site.told(3)
        assert.deepEqual(campaigns(site, 'delivered'), [1])
      })

      it('leaves a fragment without the cookie to the option', async () => {
        await using site = await start(byProxy)
        for (const _ of [1, 2]) await site.get('/1', { ...FRAGMENT, 'x-id': 'proxy-1' })
        await site.told(2)
        assert.deepEqual(campaigns(site, 'delivered'), [1])
      })
    })

    it('is left by the page that a redirect leads to, and not by the redirect', async () => {
      await using site = await start({
        page: (visit) => {
          adsByPath(visit)
          if (visit.req.url !== '/old/1') return 'page'
          visit.res.writeHead(303, { location: '/new/1' }).end()
          return undefined
        },
      })
      const redirect = await site.get('/old/1', NAVIGATION)
      assert.equal(cookieOf(redirect), undefined)
      const cookie = cookieOf(await site.get('/new/1', NAVIGATION))
      await site.get('/1', { ...FRAGMENT, cookie })
      const told = await site.told(3)
      assert.equal(told.filter((one) => one === 'ens duplicate').length, 1)
    })
  })
}
