import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { TrackerOptions } from '../../lib/options.js'
import { closientAd, ensAd } from './campaigns.js'
import { fetchPage } from './fetch-page.js'
import { getPort, listenOnLoopback } from './listen-on-loopback.js'
import { Publisher, type Visit } from './publisher.js'
import { assertBalanced, omitZeros } from './stats-assertions.js'

type ListenerCounts = Record<string, number>

/** The number of listeners by event. */
function countListeners(emitter: EventEmitter): ListenerCounts {
  const counts = emitter
    .eventNames()
    .map((name) => [String(name), emitter.listenerCount(name)] as const)
  return Object.fromEntries(counts)
}

/** The numbers of listeners on request, response and socket. */
function countAllListeners({ req, res }: Pick<Visit, 'req' | 'res'>): readonly ListenerCounts[] {
  return [req, res, req.socket].map(countListeners)
}

describe('a request that tracks nothing', () => {
  it("calls none of the options' functions", async () => {
    const called: string[] = []
    const recordCall = (option: string, result: unknown) => () => {
      called.push(option)
      return result
    }
    const options = {
      requestId: recordCall('requestId', 'a'),
      country: recordCall('country', 'US'),
      device: recordCall('device', 'mobile'),
      searchQuery: recordCall('searchQuery', 'shoes'),
      consent: recordCall('consent', true),
      traffic: { bots: recordCall('bots', false) },
    }
    await using site = await Publisher.start(({ req, res, trackImpression }) => {
      if (req.url === '/ads') {
        for (let ads = 0; ads < 2; ads += 1) {
          trackImpression(ensAd())
          trackImpression(closientAd())
        }
      }
      res.end()
    }, options as TrackerOptions)

    await fetchPage(site.url)
    assert.deepEqual(called, [])

    await fetchPage(new URL('/ads', site.url).href)
    assert.deepEqual(
      called.sort(),
      ['bots', 'consent', 'country', 'device', 'requestId', 'searchQuery'],
      'each once for a page that tracks four impressions',
    )
    await site.waitForOutcomes(4)
  })

  it('adds no listener to request, response and socket', async () => {
    const counts: unknown[] = []
    await using site = await Publisher.start((visit) => {
      const before = countAllListeners(visit)
      const { trackImpression } = visit
      assert.equal(typeof trackImpression, 'function')
      assert.equal(trackImpression.requestId, trackImpression.requestId)
      assert.deepEqual(countAllListeners(visit), before)
      counts.push(before)
      visit.res.end()
    })
    // A server without a tracker gives the expected counts.
    const expectedCounts: unknown[] = []
    const server = createServer((req, res) => {
      expectedCounts.push(countAllListeners({ req, res }))
      res.end()
    })
    await listenOnLoopback(server)

    await fetchPage(site.url)
    await fetchPage(`http://127.0.0.1:${getPort(server)}/`)
    server.closeAllConnections()
    server.close()

    assert.deepEqual(counts, expectedCounts)
  })

  it('does not change the stats', async () => {
    await using site = await Publisher.start(({ res }) => void res.end())

    await fetchPage(site.url)

    assert.deepEqual(omitZeros(site.tracker.stats().ens), {})
    assert.deepEqual(omitZeros(site.tracker.stats().closient), {})
    assertBalanced(site.tracker.stats())
  })

  it('evicts no other page load from memory', async () => {
    await using site = await Publisher.start(
      ({ req, res, trackImpression }) => {
        if (req.url === '/ads') trackImpression(ensAd())
        res.end(trackImpression.requestId)
      },
      { requestId: (req) => String(req.url), dedupe: { max: 1 } },
    )

    for (const path of ['/ads', '/plain', '/ads']) await fetchPage(new URL(path, site.url).href)

    await site.waitForOutcomes(2)
    assert.deepEqual(site.summaries, ['ens delivered', 'ens duplicate'])
  })
})

describe('a request that tracks', () => {
  it('evicts no other page load from memory if it is suppressed', async () => {
    await using site = await Publisher.start(
      ({ req, res, trackImpression }) => {
        if (req.url === '/moved') res.statusCode = 302
        trackImpression(ensAd())
        res.end()
      },
      { requestId: (req) => String(req.url), dedupe: { max: 1 } },
    )

    for (const path of ['/ads', '/moved', '/ads']) await fetchPage(new URL(path, site.url).href)

    await site.waitForOutcomes(3)
    assert.deepEqual(site.summaries, ['ens delivered', 'ens duplicate', 'ens suppressed: redirect'])
  })

  it('adds no more listeners for fifty impressions of each network than for one', async () => {
    await using site = await Publisher.start((visit) => {
      visit.trackImpression(ensAd(1))
      const before = countAllListeners(visit)
      for (let n = 2; n <= 50; n += 1) visit.trackImpression(ensAd(n))
      for (let n = 1; n <= 50; n += 1) visit.trackImpression(closientAd(n))
      assert.deepEqual(countAllListeners(visit), before)
      visit.res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(100)
    assert.equal(site.sandbox.closient.totals.calls, 1)
  })

  it('removes its listeners when the response has ended', async () => {
    let before: ListenerCounts | undefined
    let after: ListenerCounts | undefined
    await using site = await Publisher.start((visit) => {
      before = countListeners(visit.res)
      visit.trackImpression(closientAd())
      visit.res.on('finish', () => {
        after = countListeners(visit.res)
      })
      visit.res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(1)
    assert.ok(before && after)
    assert.deepEqual({ ...after, finish: 0 }, { ...before, finish: 0 })
    assert.equal(after.finish, (before.finish ?? 0) + 1, "the test's own listener")
  })
})
