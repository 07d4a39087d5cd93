// Tests lib/delivery/tracker-methods.ts
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { closientAd, ensAd } from './page-load/campaigns.js'
import { BROWSER_HEADERS, fetchPage } from './page-load/fetch-page.js'
import { ManualEns } from './page-load/manual-ens.js'
import { type Page, Publisher } from './page-load/publisher.js'
import { omitZeros } from './page-load/stats-assertions.js'

const trackEns: Page = ({ req, res, trackImpression }) => {
  trackImpression(ensAd(Number(req.url?.slice(1))))
  res.end()
}

const trackBoth: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.end()
}

const INVALID = [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, '5000', null] as const

describe('flush({ timeoutMs })', () => {
  it('resolves to true when everything pending has its outcome, and at once if nothing is', async () => {
    await using site = await Publisher.start(trackBoth)
    assert.equal(await site.tracker.flush(), true)
    await fetchPage(site.url)

    assert.equal(await site.tracker.flush({ timeoutMs: 5_000 }), true)

    assert.deepEqual(site.summaries, ['closient delivered', 'ens delivered'])
  })

  it('resolves to false when its time has run out, and what is pending stays so', async () => {
    await using network = await ManualEns.start()
    await using site = await Publisher.start(trackEns, { networks: [network.network] })
    await fetchPage(`${site.url}1`)
    const call = await network.nextCall()

    assert.equal(await site.tracker.flush({ timeoutMs: 20 }), false)
    assert.equal(await site.tracker.flush({ timeoutMs: 0 }), false)

    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, pending: 1 })
    call.succeed()
    assert.equal(await site.tracker.flush(), true)
    assert.deepEqual(site.summaries, ['ens delivered'])
  })

  it('resolves to false if one network of several has not answered', async () => {
    await using site = await Publisher.start(trackBoth)
    site.sandbox.ens.fault({ hang: true })
    await fetchPage(site.url)

    assert.equal(await site.tracker.flush({ timeoutMs: 300 }), false)

    assert.deepEqual(site.summaries, ['closient delivered'])
  })

  it('lets calls be spread over the quota again when its time has run out', async () => {
    await using site = await Publisher.start(trackBoth, { searchQuery: (req) => req.url ?? '' })
    site.sandbox.ens.fault({ hang: true })
    await fetchPage(site.url)
    assert.equal(await site.tracker.flush({ timeoutMs: 50 }), false)

    for (let page = 0; page < 40; page += 1) await fetchPage(`${site.url}${page}`)
    await sleep(200)

    // With no pacing, all of them would have been sent at once.
    assert.ok((site.tracker.stats().closient?.pending ?? 0) > 0)
  })

  for (const timeoutMs of INVALID) {
    it(`uses its default if timeoutMs is ${timeoutMs}, and logs that`, async () => {
      await using site = await Publisher.start(trackBoth)
      await fetchPage(site.url)

      const flushed = await Reflect.apply(site.tracker.flush, undefined, [{ timeoutMs }])

      assert.equal(flushed, true)
      assert.match(site.lines.join('\n'), /flush\(\): timeoutMs: expected .*10000 ms are used/)
    })
  }
})

describe('close({ timeoutMs })', () => {
  it('resolves to true when everything has its outcome, and does so ever after', async () => {
    await using site = await Publisher.start(trackBoth)
    await fetchPage(site.url)

    assert.equal(await site.tracker.close(), true)

    assert.deepEqual(site.summaries, ['closient delivered', 'ens delivered'])
    assert.equal(await site.tracker.close({ timeoutMs: 0 }), true)
    assert.equal(await site.tracker.flush(), true)
  })

  it('resolves to true at once when nothing is pending, even without any time', async () => {
    await using site = await Publisher.start(trackBoth)

    assert.equal(await site.tracker.close({ timeoutMs: 0 }), true)
  })

  it('resolves to false when its time has run out, and everything has its outcome', async () => {
    await using site = await Publisher.start(trackBoth)
    site.sandbox.ens.fault({ hang: true })
    await fetchPage(site.url)
    await site.sandbox.ens.called(1)

    assert.equal(await site.tracker.close({ timeoutMs: 200 }), false)

    assert.deepEqual(site.summaries, ['closient delivered', 'ens uncertain'])
  })

  it('resolves to false if a response still holds an impression', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.write('an ad')
    })
    await fetch(site.url, { headers: BROWSER_HEADERS })

    assert.equal(await site.tracker.close({ timeoutMs: 20 }), false)

    assert.deepEqual(site.summaries, ['closient dropped: closed'])
  })

  it('ends every flush that still waits', async () => {
    await using network = await ManualEns.start()
    await using site = await Publisher.start(trackEns, { networks: [network.network] })
    await fetchPage(`${site.url}1`)
    await network.nextCall()
    const flushed = site.tracker.flush({ timeoutMs: 60_000 })

    await site.tracker.close({ timeoutMs: 0 })

    assert.equal(await flushed, true)
    assert.deepEqual(site.summaries, ['ens uncertain'])
  })
})
