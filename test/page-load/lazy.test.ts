import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { TrackerOptions } from '../../lib/options.js'
import { closientAd, ensAd } from './campaigns.js'
import { fetchPage } from './fetch-page.js'
import { getPort, listenOnLoopback } from './listen-on-loopback.js'
import { Publisher, type Visit } from './publisher.js'
import { assertBalanced, omitZeros } from './stats-assertions.js'

/** How many listeners request, response and socket have of each event. */
type Counts = [Record<string, number>, Record<string, number>, Record<string, number>]

/** How many listeners there are of each event. */
function listenersOn(emitter: EventEmitter): Record<string, number> {
  const counts = emitter
    .eventNames()
    .map((name) => [String(name), emitter.listenerCount(name)] as const)
  return Object.fromEntries(counts)
}

function listenersOf({ req, res }: Pick<Visit, 'req' | 'res'>): Counts {
  return [listenersOn(req), listenersOn(res), listenersOn(req.socket)]
}

describe('a request that tracks nothing', () => {
  it('asks none of the options’ functions', async () => {
    const asked: string[] = []
    const ask = (option: string, answer: unknown) => () => {
      asked.push(option)
      return answer
    }
    const options = {
      requestId: ask('requestId', 'a'),
      country: ask('country', 'US'),
      device: ask('device', 'mobile'),
      searchQuery: ask('searchQuery', 'shoes'),
      consent: ask('consent', true),
      traffic: { bots: ask('bots', false) },
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
    assert.deepEqual(asked, [])

    await fetchPage(new URL('/ads', site.url).href)
    assert.deepEqual(
      asked.sort(),
      ['bots', 'consent', 'country', 'device', 'requestId', 'searchQuery'],
      'each once by a page that tracks four',
    )
    await site.waitForOutcomes(4)
  })

  it('gets no listener on request, response and socket', async () => {
    const seen: unknown[] = []
    await using site = await Publisher.start((visit) => {
      const before = listenersOf(visit)
      const { trackImpression } = visit
      assert.equal(typeof trackImpression, 'function')
      assert.equal(trackImpression.requestId, trackImpression.requestId)
      assert.deepEqual(listenersOf(visit), before)
      seen.push(before)
      visit.res.end()
    })
    // A server of its own, without a tracker: what `before` must be.
    const bare: unknown[] = []
    const server = createServer((req, res) => {
      bare.push(listenersOf({ req, res }))
      res.end()
    })
    await listenOnLoopback(server)

    await fetchPage(site.url)
    await fetchPage(`http://127.0.0.1:${getPort(server)}/`)
    server.closeAllConnections()
    server.close()

    assert.deepEqual(seen, bare)
  })

  it('is nothing to the books', async () => {
    await using site = await Publisher.start(({ res }) => void res.end())

    await fetchPage(site.url)

    assert.deepEqual(omitZeros(site.tracker.stats().ens), {})
    assert.deepEqual(omitZeros(site.tracker.stats().closient), {})
    assertBalanced(site.tracker.stats())
  })

  it('takes no other page load’s place in memory', async () => {
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
  it('takes no other page load’s place in memory if it is suppressed', async () => {
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

  it('gets no more listeners for fifty impressions of each network than for one', async () => {
    await using site = await Publisher.start((visit) => {
      visit.trackImpression(ensAd(1))
      const before = listenersOf(visit)
      for (let n = 2; n <= 50; n += 1) visit.trackImpression(ensAd(n))
      for (let n = 1; n <= 50; n += 1) visit.trackImpression(closientAd(n))
      assert.deepEqual(listenersOf(visit), before)
      visit.res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(100)
    assert.equal(site.sandbox.closient.totals.calls, 1)
  })

  it('keeps none of its listeners once the response has ended', async () => {
    const left: unknown[] = []
    await using site = await Publisher.start(async (visit) => {
      const before = listenersOf(visit)
      visit.trackImpression(closientAd())
      visit.res.on('finish', () => left.push(before, listenersOf(visit)))
      visit.res.end()
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(1)
    const [[, before], [, after]] = left as [Counts, Counts]
    assert.deepEqual({ ...after, finish: 0 }, { ...before, finish: 0 })
    assert.equal(after.finish, (before.finish ?? 0) + 1, 'the test’s own')
  })
})
