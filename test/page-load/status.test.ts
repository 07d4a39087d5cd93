import assert from 'node:assert/strict'
import { closientAd, ensAd } from './campaigns.js'
import { fetchPage } from './fetch-page.js'
import { Publisher } from './publisher.js'

describe('the status of a page', () => {
  for (const status of [200, 201, 204, 206, 304, 400, 403, 404, 410, 499]) {
    it(`${status} displays its ads`, async () => {
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
    it(`${status} sends the viewer elsewhere: no display`, async () => {
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
    it(`${status} displays nothing of the page that failed`, async () => {
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

  it('counts what was tracked before it turned out to be an error only where it had left', async () => {
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
    it(`${status} leaves the campaign to a retry of the same page load`, async () => {
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

  it('of a HEAD request displays nothing, whatever it is', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      trackImpression(ensAd())
      res.end('never sent')
    })

    await fetchPage(site.url, { method: 'HEAD' })

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: head',
      'ens suppressed: head',
    ])
  })

  it('of a POST that renders a page displays its ads', async () => {
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
