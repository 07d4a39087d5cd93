import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { impressions } from '../lib/express.js'
import { impressions as koaImpressions } from '../lib/koa.js'
import { builtInNetworks } from '../lib/networks/built-in-networks.js'
import { createTracker } from '../lib/tracker.js'
import { FrameworkSite } from './frameworks/framework-site.js'
import { FRAMEWORKS } from './frameworks/frameworks.js'
import { withEnvironment } from './networks/environment.js'
import { closientAd, ensAd } from './page-load/campaigns.js'
import { fetchPage } from './page-load/fetch-page.js'
import { getPort, listenOnLoopback } from './page-load/listen-on-loopback.js'
import { omitZeros } from './page-load/stats-assertions.js'

const visibility = { secret: '8Yc0xyl7fMZbyxl3jz2Oq9kq1Gk7Rr4W' }

for (const framework of FRAMEWORKS) {
  describe(`with enabled: false, a page in ${framework.name}`, () => {
    it('has a helper that accepts everything, even with strict, and sends nothing', async () => {
      const options = [{ enabled: false, strict: true, visibility }]
      await using site = await FrameworkSite.start(
        framework,
        ({ trackImpression, answer }) => {
          const { whenVisible, script } = trackImpression
          const printed = [
            trackImpression(ensAd()),
            trackImpression(closientAd()),
            Reflect.apply(trackImpression, undefined, [{ campaignId: -1 }]),
            Reflect.apply(trackImpression, undefined, []),
            whenVisible(ensAd()),
            Reflect.apply(whenVisible, undefined, [null]),
            script(),
            script({ nonce: 'abc' }),
          ]
          answer(
            JSON.stringify({
              printed,
              ids: [trackImpression.requestId, trackImpression.requestId],
            }),
          )
        },
        { options },
      )

      const first = JSON.parse((await site.client.fetchPage()).text)
      const second = JSON.parse((await site.client.fetchPage()).text)

      assert.deepEqual(first.printed, Array(8).fill(''))
      assert.match(first.ids[0], /^[0-9a-f-]{36}$/)
      assert.equal(first.ids[0], first.ids[1])
      assert.notEqual(first.ids[0], second.ids[0])
      const [tracker] = site.trackers
      await tracker?.flush()
      await tracker?.close()
      assert.deepEqual(Object.keys(tracker?.stats() ?? {}), ['ens', 'closient', 'unknown'])
      for (const figures of Object.values(tracker?.stats() ?? {})) {
        assert.deepEqual(omitZeros(figures), {})
      }
      assert.equal(site.sandbox.ens.totals.calls + site.sandbox.closient.totals.calls, 0)
      assert.deepEqual(site.outcomes, [])
    })
  })
}

describe('enabled: false', () => {
  for (const create of [createTracker, impressions, koaImpressions]) {
    it(`needs no key: ${create.name}()`, () => {
      const tracker = withEnvironment({}, () => create({ enabled: false }))
      assert.deepEqual(Object.keys(tracker.stats()), [...Object.keys(builtInNetworks), 'unknown'])
    })
  }

  it('does not look at keys and URLs in the environment', () => {
    const environment = { ENS_API_KEY: 'with spaces ', CLOSIENT_BASE_URL: 'not a URL' }
    withEnvironment(environment, () => createTracker({ enabled: false }))
  })

  it('checks the options, networks included', () => {
    for (const wrong of [{ networks: ['ens'] }, { dedupe: { max: 0 } }, { enbled: true }]) {
      assert.throws(() => Reflect.apply(createTracker, undefined, [{ enabled: false, ...wrong }]), {
        name: 'ConfigurationError',
        code: 'invalid-options',
      })
    }
  })

  it('must be a boolean', () => {
    for (const enabled of [0, 'false', null]) {
      assert.throws(() => Reflect.apply(createTracker, undefined, [{ enabled }]), {
        name: 'ConfigurationError',
        message: /enabled: expected true or false/,
      })
    }
  })

  it('names the page load as the option requestId does', async () => {
    await using tracker = createTracker({ enabled: false, requestId: ({ url }) => `page${url}` })
    const server = createServer((req, res) => res.end(tracker.pageLoad(req, res).requestId))
    await listenOnLoopback(server)
    const { text } = await fetchPage(`http://127.0.0.1:${getPort(server)}/news`)
    server.close()
    server.closeAllConnections()
    assert.equal(text, 'page/news')
  })

  it('answers nothing below the path of visible impressions', async () => {
    await using tracker = createTracker({ enabled: false, visibility })
    const server = createServer((req, res) => {
      res.end(String(tracker.reply(req) ?? 'not for the tracker'))
    })
    await listenOnLoopback(server)
    const { text } = await fetchPage(`http://127.0.0.1:${getPort(server)}/_visible/client.js`)
    server.close()
    server.closeAllConnections()
    assert.equal(text, 'not for the tracker')
  })

  it('keeps a listener that is removed, and refuses a wrong one', () => {
    const tracker = createTracker({ enabled: false })
    tracker.on('outcome', () => {})()
    assert.throws(() => Reflect.apply(tracker.on, undefined, ['outcomes', () => {}]), TypeError)
  })
})
