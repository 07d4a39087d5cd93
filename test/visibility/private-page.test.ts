import assert from 'node:assert/strict'
import { ensAd } from '../page-load/campaigns.js'
import { SERVERS, VisibleSite } from './visible-site.js'

for (const server of SERVERS) {
  describe(`a page of ${server.name} with a token`, () => {
    const given: readonly [cacheControl: string | undefined, left: string][] = [
      [undefined, 'private'],
      ['public, max-age=60', 'private, max-age=60'],
      ['s-maxage=60', 'private'],
      ['no-store', 'no-store'],
    ]
    for (const when of ['before', 'after'] as const) {
      for (const [cacheControl, left] of given) {
        it(`is private, having set ${cacheControl ?? 'nothing'} ${when} it`, async () => {
          await using site = await VisibleSite.start({
            server,
            page({ res, trackImpression, answer }) {
              const set = () => cacheControl && res.setHeader('Cache-Control', cacheControl)
              if (when === 'before') set()
              const attribute = trackImpression.whenVisible(ensAd())
              if (when === 'after') set()
              answer(attribute)
            },
          })

          assert.equal((await site.ask()).headers['cache-control'], left)
          assert.deepEqual(site.lines, [])
        })
      }
    }

    it('is as it was, if it asked for none', async () => {
      await using site = await VisibleSite.start({
        server,
        page({ res, trackImpression, answer }) {
          res.setHeader('Cache-Control', 'public, max-age=60')
          answer(`a page${trackImpression.script()}`)
        },
      })

      assert.equal((await site.ask()).headers['cache-control'], 'public, max-age=60')
    })
  })
}

describe('a page whose head has gone', () => {
  it('is not private any more if it was sent as public, and the log says so', async () => {
    await using site = await VisibleSite.start({
      page({ res, trackImpression, answer }) {
        res.setHeader('Cache-Control', 'public, max-age=60')
        res.flushHeaders()
        answer(trackImpression.whenVisible(ensAd()))
      },
    })

    await site.ask()

    assert.equal(site.lines.length, 1)
    assert.match(site.lines.join(), /allows shared caches to store it/)
  })

  it('is private by writeHead too', async () => {
    await using site = await VisibleSite.start({
      page({ res, trackImpression, answer }) {
        const attribute = trackImpression.whenVisible(ensAd())
        res.writeHead(200, { 'cache-control': 'public' })
        answer(attribute)
      },
    })

    assert.equal((await site.ask()).headers['cache-control'], 'private')
  })
})
