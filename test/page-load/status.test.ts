import assert from 'node:assert/strict'
import { closientAd, ensAd } from './campaigns.js'
import { fetchPage } from './fetch-page.js'
import { Publisher } from './publisher.js'

describe('a page with status', () => {
  for (const status of [200, 201, 204, 206, 304, 400, 403, 404, 410, 499]) {
    it(`${status} is a display`, async () => {
      await using site = await Publisher.start(({ res, trackImpression }) => {
        trackImpression(closientAd())
        res.writeHead(status)
        trackImpression(ensAd())
        res.end()
      })

      assert.equal((await fetchPage(site.url)).status, status)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
    })
  }

  for (const status of [300, 301, 302, 303, 307, 308]) {
    it(`${status} is suppressed as a redirect`, async () => {
      await using site = await Publisher.start(({ res, trackImpression }) => {
        trackImpression(closientAd())
        res.writeHead(status, { location: '/elsewhere' })
        trackImpression(ensAd())
        res.end()
      })

      assert.equal((await fetchPage(site.url)).status, status)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient suppressed: redirect',
        'ens suppressed: redirect',
      ])
    })
  }

  for (const status of [500, 502, 503, 599]) {
    it(`${status} is suppressed as a server error`, async () => {
      await using site = await Publisher.start(({ res, trackImpression }) => {
        trackImpression(closientAd())
        res.statusCode = status
        trackImpression(ensAd())
        res.end()
      })

      assert.equal((await fetchPage(site.url)).status, status)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient suppressed: server-error',
        'ens suppressed: server-error',
      ])
    })
  }

  it('500, set after tracking, suppresses what is held but not what was sent', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      trackImpression(ensAd())
      res.statusCode = 500
      res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: server-error',
      'ens delivered',
    ])
  })

  for (const [status, reason] of [
    [302, 'redirect'],
    [500, 'server-error'],
  ] as const) {
    it(`${status} does not prevent the campaign from counting in a retry of the same page load`, async () => {
      let visits = 0
      await using site = await Publisher.start(
        ({ res, trackImpression }) => {
          visits += 1
          trackImpression(closientAd())
          res.statusCode = visits === 1 ? status : 200
          res.end()
        },
        { requestId: () => 'the-same-page-load' },
      )

      await fetchPage(site.url)
      await site.waitForOutcomes(1)
      await fetchPage(site.url)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient delivered',
        `closient suppressed: ${reason}`,
      ])
    })
  }

  it('200 is suppressed for a HEAD request', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      trackImpression(ensAd())
      res.end('never sent')
    })

    await fetchPage(site.url, { method: 'HEAD' })

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: method',
      'ens suppressed: method',
    ])
  })

  it('200 is a display for a POST request', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      trackImpression(ensAd())
      res.end('search results')
    })

    await fetchPage(site.url, { method: 'POST' })

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })
})
