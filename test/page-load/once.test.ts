import assert from 'node:assert/strict'
import { closient } from '../../lib/networks/closient.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import { closientAd, ensAd, shortuuid } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { fetchPage } from './fetch-page.js'
import { Publisher } from './publisher.js'
import { createNetworks } from './sandbox-networks.js'
import { omitZeros } from './stats-assertions.js'

describe('a campaign in one page load', () => {
  it('counts once however often it is tracked', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      for (let n = 0; n < 3; n += 1) {
        trackImpression(ensAd())
        trackImpression(closientAd())
      }
      res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(6)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient duplicate',
      'closient duplicate',
      'ens delivered',
      'ens duplicate',
      'ens duplicate',
    ])
  })

  it('counts once in different placements', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression({ campaignId: 42, placement: 'header_banner' })
      trackImpression({ campaignId: 42, placement: 'sidebar' })
      res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens duplicate'])
  })

  it('counts once when given as a UUID and as its shortuuid', async () => {
    const uuid = '3b1f8b24-9c05-4d0e-8a7e-6f1c2d3e4f50'
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression({ campaignId: uuid })
      trackImpression({ campaignId: uuid.toUpperCase() })
      const [sent] = site.outcomes
      assert.equal(sent?.outcome, 'duplicate')
      trackImpression({ campaignId: String(sent.campaignId) })
      res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(3)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient duplicate',
      'closient duplicate',
    ])
    assert.equal(new Set(site.outcomes.map(({ campaignId }) => campaignId)).size, 1)
  })

  it("is distinct from another network's campaign with the same id", async () => {
    const campaignId = shortuuid(0)
    await using other = await Publisher.start(({ res }) => void res.end('{}'))
    const acme = defineNetwork({
      ...closient({ apiKey: 'key', baseUrl: other.url }),
      name: 'acme',
      match: () => 'no',
    })
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        trackImpression({ campaignId })
        trackImpression({ network: 'acme', campaignId })
        res.end()
      },
      { networks: [...createNetworks(other.sandbox), acme] },
    )

    await fetchPage(site.url)

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['acme delivered', 'closient delivered'])
  })

  it('counts in every page load', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(ensAd())
      trackImpression(closientAd())
      res.end()
    })

    await fetchPage(site.url)
    await fetchPage(site.url)

    await site.waitForOutcomes(4)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, delivered: 2 })
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 2, delivered: 2 })
  })
})

describe('two requests with the same id', () => {
  it('are one page load', async () => {
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        trackImpression(ensAd())
        trackImpression(closientAd())
        res.end(trackImpression.requestId)
      },
      { requestId: (req) => String(req.headers['x-page-load']) },
    )

    const headers = { 'x-page-load': 'a' }
    assert.equal((await fetchPage(site.url, { headers })).text, 'a')
    await site.waitForOutcomes(2)
    await fetchPage(site.url, { headers })
    await fetchPage(site.url, { headers: { 'x-page-load': 'b' } })

    await site.waitForOutcomes(6)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), {
      tracked: 3,
      delivered: 2,
      duplicate: 1,
    })
    assert.deepEqual(omitZeros(site.tracker.stats().closient), {
      tracked: 3,
      delivered: 2,
      duplicate: 1,
    })
  })

  it('are one page load while the first is still open', async () => {
    const bothTracked = createDeferred()
    let visits = 0
    await using site = await Publisher.start(
      async ({ res, trackImpression }) => {
        trackImpression(closientAd())
        visits += 1
        if (visits === 2) bothTracked.resolve()
        await bothTracked.promise
        res.end()
      },
      { requestId: () => 'a' },
    )

    await Promise.all([fetchPage(site.url), fetchPage(site.url)])

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'closient duplicate'])
  })

  it('stay one page load for the first, even if it was evicted from memory', async () => {
    const evicted = createDeferred()
    await using site = await Publisher.start(
      async ({ req, res, trackImpression }) => {
        trackImpression(ensAd())
        if (req.url === '/slow') {
          await evicted.promise
          trackImpression(ensAd())
        }
        res.end()
      },
      { requestId: (req) => String(req.url), dedupe: { max: 1 } },
    )

    const slow = fetchPage(new URL('/slow', site.url).href)
    await site.waitForOutcomes(1)
    await fetchPage(new URL('/other', site.url).href)
    evicted.resolve()
    await slow

    await site.waitForOutcomes(3)
    assert.deepEqual(site.summaries, ['ens delivered', 'ens delivered', 'ens duplicate'])
  })

  for (const name of ['__proto__', 'constructor', 'toString', ':', 'x'.repeat(200)]) {
    it(`are one page load if the id is ${name.slice(0, 12)}`, async () => {
      await using site = await Publisher.start(
        ({ res, trackImpression }) => {
          trackImpression(ensAd())
          res.end(trackImpression.requestId)
        },
        { requestId: () => name },
      )

      assert.equal((await fetchPage(site.url)).text, name)
      await fetchPage(site.url)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'ens duplicate'])
    })
  }
})

describe('an invalid request id', () => {
  const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

  const invalidIds: Readonly<Record<string, () => unknown>> = {
    'too long': () => 'x'.repeat(201),
    empty: () => '',
    'with a line break': () => 'a\nforged: line',
    'with a NUL': () => 'a\0',
    'with a space': () => 'a b',
    'not ASCII': () => 'é',
    'a number': () => 1,
    'an object': () => ({ toString: () => 'a' }),
    'an array, as for a repeated header': () => ['a'],
    'a promise': () => Promise.resolve('a'),
    missing: () => undefined,
    'a thrown error': () => {
      throw new Error('no id')
    },
  }
  for (const [name, requestId] of Object.entries(invalidIds)) {
    it(`is replaced by a random one, and logged once: ${name}`, async () => {
      await using site = await Publisher.start(
        ({ res, trackImpression }) => {
          trackImpression(ensAd())
          res.end(trackImpression.requestId)
        },
        { requestId: requestId as () => string },
      )

      const first = await fetchPage(site.url)
      const second = await fetchPage(site.url)

      assert.match(first.text, UUID)
      assert.notEqual(first.text, second.text)
      await site.waitForOutcomes(2)
      assert.deepEqual(site.summaries, ['ens delivered', 'ens delivered'])
      assert.equal(site.lines.length, 1, site.lines.join('\n'))
      assert.match(site.lines[0] ?? '', /requestId/)
    })
  }

  it("is never taken from the client's header or req.id without the option", async () => {
    await using site = await Publisher.start(({ req, res, trackImpression }) => {
      Object.assign(req, { id: '1' })
      trackImpression(ensAd())
      res.end(trackImpression.requestId)
    })

    const { text } = await fetchPage(site.url, { headers: { 'x-request-id': '1' } })

    assert.match(text, UUID)
  })
})
