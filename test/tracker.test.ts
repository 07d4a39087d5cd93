import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MemoryOutbox } from '../lib/delivery/outbox/memory-outbox.js'
import { OUTCOMES } from '../lib/impression.js'
import { ens } from '../lib/networks/ens.js'
import { startSandbox } from '../lib/sandbox/sandbox.js'
import { createTracker } from '../lib/tracker.js'
import { closientAd, ensAd } from './page-load/campaigns.js'
import { createDeferred } from './page-load/deferred.js'
import { fetchPage } from './page-load/fetch-page.js'
import { getPort, listenOnLoopback } from './page-load/listen-on-loopback.js'
import { ManualEns } from './page-load/manual-ens.js'
import { createMemoryLogger } from './page-load/memory-logger.js'
import { type Page, Publisher } from './page-load/publisher.js'
import { omitZeros } from './page-load/stats-assertions.js'

/** Waits for some turns of the event loop, so that everything that is ready runs. */
async function waitSomeTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn()
}

const renderAds: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.end()
}

/** A page with the ENS campaign that the path names. */
const renderAdByPath: Page = ({ req, res, trackImpression }) => {
  trackImpression(ensAd(Number(req.url?.slice(1))))
  res.end()
}

describe('the option outbox', () => {
  it('remembers dedupe keys for longer than any token of their page load', async () => {
    const ttlsMs: number[] = []
    const tracker = createTracker({
      networks: [ens({ apiKey: 'key' })],
      dedupe: { ttlMs: 5_000 },
      visibility: { secret: 'a-secret-of-this-test-0123456789-abcdef', tokenTtlMs: 3_000 },
      outbox(options) {
        ttlsMs.push(options.dedupeTtlMs)
        return new MemoryOutbox(options)
      },
    })
    await tracker.close()
    assert.deepEqual(ttlsMs, [8_000])
  })
})

describe('stats()', () => {
  it('has every figure of every network and of unknown inputs', async () => {
    await using site = await Publisher.start(renderAds)

    const stats = site.tracker.stats()

    assert.deepEqual(Object.keys(stats).sort(), ['closient', 'ens', 'unknown'])
    for (const figures of Object.values(stats)) {
      assert.deepEqual(
        Object.keys(figures).sort(),
        ['held', 'pending', 'tracked', ...OUTCOMES].sort(),
      )
      assert.deepEqual(omitZeros(figures), {})
    }
  })

  it('counts an impression as held, then pending, then delivered', async () => {
    const canFinish = createDeferred()
    await using manualEns = await ManualEns.start()
    await using site = await Publisher.start(
      async ({ res, trackImpression }) => {
        trackImpression(ensAd())
        assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, held: 1 })
        await canFinish.promise
        res.end()
      },
      { networks: [{ ...manualEns.network, flush: 'finish' }] },
    )

    const response = fetchPage(site.url)
    while (site.tracker.stats().ens?.held !== 1) await nextTurn()
    canFinish.resolve()
    await response
    const call = await manualEns.nextCall()
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, pending: 1 })
    call.succeed()

    await site.waitForOutcomes(1)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, delivered: 1 })
  })

  it('counts an input that matches no network as unknown', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      // @ts-expect-error an ad without a campaign
      trackImpression({ url: '/an-ad' })
      res.end()
    })

    await fetchPage(site.url)

    assert.deepEqual(omitZeros(site.tracker.stats().unknown), { tracked: 1, invalid: 1 })
  })
})

describe('flush()', () => {
  it('resolves when everything pending at the call has an outcome, and not before', async () => {
    await using manualEns = await ManualEns.start()
    await using site = await Publisher.start(renderAdByPath, { networks: [manualEns.network] })
    await fetchPage(`${site.url}1`)
    await fetchPage(`${site.url}2`)
    const calls = [await manualEns.nextCall(), await manualEns.nextCall()]

    let isFlushed = false
    const flushed = site.tracker.flush().then(() => {
      isFlushed = true
    })
    await fetchPage(`${site.url}3`)
    const later = await manualEns.nextCall()

    calls[0]?.succeed()
    await site.waitForOutcomes(1)
    await waitSomeTurns()
    assert.equal(isFlushed, false)

    calls[1]?.fail(400)
    await flushed
    assert.deepEqual(site.summaries, ['ens delivered', 'ens rejected'])
    assert.deepEqual(omitZeros(site.tracker.stats().ens), {
      tracked: 3,
      delivered: 1,
      rejected: 1,
      pending: 1,
    })
    later.succeed()
    await site.waitForOutcomes(3)
  })

  it('includes what a page holds whose response finishes at this moment', async () => {
    let flushed: Promise<boolean> | undefined
    await using site = await Publisher.start(({ res, trackImpression }) => {
      // Runs before the tracker's own listener.
      res.on('finish', () => {
        flushed = site.tracker.flush()
      })
      trackImpression(closientAd())
      res.end()
    })

    await fetchPage(site.url)
    await flushed

    assert.deepEqual(site.summaries, ['closient delivered'])
  })

  it('suspends pacing, as close() does, so that everything the quotas allow is sent at once', async () => {
    for (const method of ['flush', 'close'] as const) {
      await using site = await Publisher.start(
        ({ res, trackImpression }) => {
          trackImpression(closientAd())
          res.end()
        },
        { searchQuery: (req) => req.url ?? '' },
      )
      for (let page = 0; page < 40; page += 1) await fetchPage(`${site.url}${page}`)

      await site.tracker[method]()

      assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 40, delivered: 40 })
    }
  })

  it('resolves at once when nothing is pending', async () => {
    await using site = await Publisher.start(renderAds)

    await site.tracker.flush()
  })

  it('leaves the tracker open', async () => {
    await using site = await Publisher.start(renderAds)
    await fetchPage(site.url)
    await site.waitForOutcomes(2)
    await site.tracker.flush()

    await fetchPage(site.url)

    await site.waitForOutcomes(4)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, delivered: 2 })
  })
})

describe('close()', () => {
  it('delivers what is pending and what is held', async () => {
    const canFinish = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      trackImpression(closientAd())
      await canFinish.promise
      res.end()
    })
    const response = fetchPage(site.url)
    while (site.tracker.stats().closient?.held !== 1) await nextTurn()

    const closed = site.tracker.close()
    canFinish.resolve()
    await response
    await closed

    assert.deepEqual(site.summaries, ['closient delivered'])
  })

  it('returns the same promise however often it is called', async () => {
    await using site = await Publisher.start(renderAds)

    const closed = site.tracker.close()

    assert.equal(site.tracker.close({ timeoutMs: 1 }), closed)
    await site.tracker[Symbol.asyncDispose]()
    await closed
    assert.equal(site.tracker.close(), closed)
  })

  for (const timeoutMs of [Number.NaN, -1, Number.POSITIVE_INFINITY, '5000']) {
    it(`delivers what is pending with the invalid timeoutMs ${timeoutMs}, and logs an error`, async () => {
      await using site = await Publisher.start(renderAds)
      await fetchPage(site.url)

      await Reflect.apply(site.tracker.close, undefined, [{ timeoutMs }])

      assert.deepEqual(site.summaries, ['closient delivered', 'ens delivered'])
      assert.match(site.lines.join('\n'), /close\(\): timeoutMs: expected .*10000 ms are used/)
    })
  }

  it('distinguishes what may have counted from what was never sent, when time runs out', async () => {
    await using site = await Publisher.start(renderAds)
    site.sandbox.ens.fault({ hang: true })
    await site.sandbox.closient.refuse()
    await fetchPage(site.url)
    await site.sandbox.ens.called(1)

    await site.tracker.close({ timeoutMs: 1 })

    assert.deepEqual(site.summaries, ['closient dropped: closed', 'ens uncertain'])
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, uncertain: 1 })
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 1, dropped: 1 })
  })

  it('drops what a page still holds when time runs out', async () => {
    const canFinish = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      trackImpression(closientAd())
      await canFinish.promise
      res.end()
    })
    const response = fetchPage(site.url)
    while (site.tracker.stats().closient?.held !== 1) await nextTurn()

    await site.tracker.close({ timeoutMs: 1 })
    assert.deepEqual(site.summaries, ['closient dropped: closed'])
    canFinish.resolve()
    await response

    assert.deepEqual(site.summaries, ['closient dropped: closed'])
    assert.equal(site.sandbox.closient.totals.calls, 0)
  })

  it('drops later impressions, and pages are still served', async () => {
    await using site = await Publisher.start(renderAds)
    await site.tracker.close()

    assert.equal((await fetchPage(site.url)).status, 200)

    await site.waitForOutcomes(2)
    assert.deepEqual(site.summaries, ['closient dropped: closed', 'ens dropped: closed'])
    assert.equal(site.sandbox.ens.totals.calls + site.sandbox.closient.totals.calls, 0)
  })

  it('runs at the end of an `await using` scope', async () => {
    await using manualEns = await ManualEns.start()
    const outcomes: string[] = []
    const server = createServer()
    {
      await using tracker = createTracker({
        networks: [manualEns.network],
        logger: createMemoryLogger([]),
      })
      tracker.on('outcome', ({ outcome }) => void outcomes.push(outcome))
      server.on('request', (req, res) => {
        tracker.pageLoad(req, res)(ensAd())
        res.end()
      })
      await listenOnLoopback(server)
      await fetchPage(`http://127.0.0.1:${getPort(server)}/`)
      const call = await manualEns.nextCall()
      setImmediate(() => call.succeed())
    }
    server.closeAllConnections()
    server.close()

    assert.deepEqual(outcomes, ['delivered'])
  })
})

describe('a process that has nothing left to do', () => {
  it('exits by itself, with its tracker idle and never closed', async () => {
    await using sandbox = await startSandbox()
    const script = fileURLToPath(new URL('page-load/single-page-process.ts', import.meta.url))

    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', script],
      { env: { ...process.env, ...sandbox.env } },
    )

    const oneDelivered = { tracked: 1, delivered: 1 }
    assert.deepEqual(JSON.parse(stdout), { ens: oneDelivered, closient: oneDelivered })
    assert.equal(stderr, '')
    assert.equal(sandbox.ens.totals.impressions + sandbox.closient.totals.impressions, 2)
  })
})
