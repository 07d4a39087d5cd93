import assert from 'node:assert/strict'
import { ensAd } from '../page-load/campaigns.js'
import { SERVERS, VisibleSite } from './visible-site.js'

for (const server of SERVERS) {
  describe(`a page with a token, from ${server.name}`, () => {
    const cases: readonly [cacheControl: string | undefined, expected: string][] = [
      [undefined, 'private'],
      ['public, max-age=60', 'private, max-age=60'],
      ['s-maxage=60', 'private'],
      ['no-store', 'no-store'],
    ]
    for (const when of ['before', 'after'] as const) {
      for (const [cacheControl, expected] of cases) {
        it(`is not shared by caches if it sets Cache-Control: ${cacheControl ?? '(none)'} ${when} whenVisible()`, async () => {
          await using site = await VisibleSite.start({
            server,
            page({ res, trackImpression, answer }) {
              const set = () => cacheControl && res.setHeader('Cache-Control', cacheControl)
              if (when === 'before') set()
              const attribute = trackImpression.whenVisible(ensAd())
              if (when === 'after') set()
              answer(attribute + trackImpression.script())
            },
          })

          assert.equal((await site.request()).headers['cache-control'], expected)
          assert.deepEqual(site.logLines, [])
        })
      }
    }

    it('keeps its Cache-Control if it has no token', async () => {
      await using site = await VisibleSite.start({
        server,
        page({ res, trackImpression, answer }) {
          res.setHeader('Cache-Control', 'public, max-age=60')
          answer(`a page${trackImpression.script()}`)
        },
      })

      assert.equal((await site.request()).headers['cache-control'], 'public, max-age=60')
    })
  })
}

describe('a page that sends its headers itself', () => {
  it('logs a warning if they were sent as public before whenVisible()', async () => {
    await using site = await VisibleSite.start({
      page({ res, trackImpression, answer }) {
        res.setHeader('Cache-Control', 'public, max-age=60')
        res.flushHeaders()
        answer(trackImpression.whenVisible(ensAd()))
      },
    })

    await site.request()

    assert.equal(site.logLines.length, 1)
    assert.match(site.logLines.join(), /allows shared caches to store it/)
  })

  it('is private if they are sent with writeHead() after whenVisible()', async () => {
    await using site = await VisibleSite.start({
      page({ res, trackImpression, answer }) {
        const attribute = trackImpression.whenVisible(ensAd())
        res.writeHead(200, { 'cache-control': 'public' })
        answer(attribute)
      },
    })

    assert.equal((await site.request()).headers['cache-control'], 'private')
  })
})
