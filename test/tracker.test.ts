import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { OUTCOMES } from '../lib/impression.js'
import { startSandbox } from '../lib/sandbox/sandbox.js'
import { createTracker } from '../lib/tracker.js'
import { nonZero } from './page-load/books.js'
import { view } from './page-load/browser.js'
import { closientAd, ensAd } from './page-load/campaigns.js'
import { gate } from './page-load/gate.js'
import { NetworkAtHand } from './page-load/network-at-hand.js'
import { listening, type Page, Publisher, portOf } from './page-load/publisher.js'
import { loggerInto } from './page-load/witness.js'

/** Lets whatever is ready to run do so. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn()
}

const track: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.end()
}

/** A page of ENS's ad that the path names. */
const trackPath: Page = ({ req, res, trackImpression }) => {
  trackImpression(ensAd(Number(req.url?.slice(1))))
  res.end()
}

describe('stats()', () => {
  it('has every figure of every network, and of inputs that are nobody’s', async () => {
    await using site = await Publisher.start(track)

    const stats = site.tracker.stats()

    assert.deepEqual(Object.keys(stats).sort(), ['closient', 'ens', 'unknown'])
    for (const figures of Object.values(stats)) {
      assert.deepEqual(
        Object.keys(figures).sort(),
        ['held', 'pending', 'tracked', ...OUTCOMES].sort(),
      )
      assert.deepEqual(nonZero(figures), {})
    }
  })

  it('tells what is held, then pending, then delivered', async () => {
    const shown = gate()
    await using network = await NetworkAtHand.start()
    await using site = await Publisher.start(
      async ({ res, trackImpression }) => {
        trackImpression(ensAd())
        assert.deepEqual(nonZero(site.tracker.stats().ens), { tracked: 1, held: 1 })
        await shown.opened
        res.end()
      },
      { networks: [{ ...network.network, flush: 'finish' }] },
    )

    const viewed = view(site.url)
    while (site.tracker.stats().ens?.held !== 1) await nextTurn()
    shown.open()
    await viewed
    const call = await network.nextCall()
    assert.deepEqual(nonZero(site.tracker.stats().ens), { tracked: 1, pending: 1 })
    call.succeed()

    await site.whenTold(1)
    assert.deepEqual(nonZero(site.tracker.stats().ens), { tracked: 1, delivered: 1 })
  })

  it('counts an input that is nobody’s as unknown', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      // @ts-expect-error an ad without a campaign
      trackImpression({ url: '/an-ad' })
      res.end()
    })

    await view(site.url)

    assert.deepEqual(nonZero(site.tracker.stats().unknown), { tracked: 1, invalid: 1 })
  })
})

describe('flush()', () => {
  it('resolves when all that was pending at the call has its outcome, and not before', async () => {
    await using network = await NetworkAtHand.start()
    await using site = await Publisher.start(trackPath, { networks: [network.network] })
    await view(`${site.url}1`)
    await view(`${site.url}2`)
    const calls = [await network.nextCall(), await network.nextCall()]

    let isFlushed = false
    const flushed = site.tracker.flush().then(() => {
      isFlushed = true
    })
    await view(`${site.url}3`)
    const later = await network.nextCall()

    calls[0]?.succeed()
    await site.whenTold(1)
    await someTurns()
    assert.equal(isFlushed, false)

    calls[1]?.fail(400)
    await flushed
    assert.deepEqual(site.told, ['ens delivered', 'ens rejected'])
    assert.deepEqual(nonZero(site.tracker.stats().ens), {
      tracked: 3,
      delivered: 1,
      rejected: 1,
      pending: 1,
    })
    later.succeed()
    await site.whenTold(3)
  })

  it('includes what a page held whose response finishes at this moment', async () => {
    let flushed: Promise<boolean> | undefined
    await using site = await Publisher.start(({ res, trackImpression }) => {
      // Before the tracker's own listener.
      res.on('finish', () => {
        flushed = site.tracker.flush()
      })
      trackImpression(closientAd())
      res.end()
    })

    await view(site.url)
    await flushed

    assert.deepEqual(site.told, ['closient delivered'])
  })

  it('waits for no pace, as nor does close(): what the quotas allow leaves now', async () => {
    for (const end of ['flush', 'close'] as const) {
      await using site = await Publisher.start(
        ({ res, trackImpression }) => {
          trackImpression(closientAd())
          res.end()
        },
        { searchQuery: (req) => req.url ?? '' },
      )
      for (let page = 0; page < 40; page += 1) await view(`${site.url}${page}`)

      await site.tracker[end]()

      assert.deepEqual(nonZero(site.tracker.stats().closient), { tracked: 40, delivered: 40 })
    }
  })

  it('resolves at once when nothing is pending', async () => {
    await using site = await Publisher.start(track)

    await site.tracker.flush()
  })

  it('leaves the tracker open', async () => {
    await using site = await Publisher.start(track)
    await view(site.url)
    await site.whenTold(2)
    await site.tracker.flush()

    await view(site.url)

    await site.whenTold(4)
    assert.deepEqual(nonZero(site.tracker.stats().ens), { tracked: 2, delivered: 2 })
  })
})

describe('close()', () => {
  it('delivers what is pending and what is held', async () => {
    const shown = gate()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      trackImpression(closientAd())
      await shown.opened
      res.end()
    })
    const viewed = view(site.url)
    while (site.tracker.stats().closient?.held !== 1) await nextTurn()

    const closed = site.tracker.close()
    shown.open()
    await viewed
    await closed

    assert.deepEqual(site.told, ['closient delivered'])
  })

  it('is the same promise however often it is called', async () => {
    await using site = await Publisher.start(track)

    const closed = site.tracker.close()

    assert.equal(site.tracker.close({ timeoutMs: 1 }), closed)
    await site.tracker[Symbol.asyncDispose]()
    await closed
    assert.equal(site.tracker.close(), closed)
  })

  for (const timeoutMs of [Number.NaN, -1, Number.POSITIVE_INFINITY, '5000']) {
    it(`delivers what is pending though its timeoutMs is ${timeoutMs}, and says so`, async () => {
      await using site = await Publisher.start(track)
      await view(site.url)

      await Reflect.apply(site.tracker.close, undefined, [{ timeoutMs }])

      assert.deepEqual(site.told, ['closient delivered', 'ens delivered'])
      assert.match(site.lines.join('\n'), /close\(\): timeoutMs: expected .*10000 ms are used/)
    })
  }

  it('tells apart what may have counted from what never left, when its time is up', async () => {
    await using site = await Publisher.start(track)
    site.sandbox.ens.fault({ hang: true })
    await site.sandbox.closient.refuse()
    await view(site.url)
    await site.sandbox.ens.called(1)

    await site.tracker.close({ timeoutMs: 1 })

    assert.deepEqual(site.told, ['closient dropped: closed', 'ens uncertain'])
    assert.deepEqual(nonZero(site.tracker.stats().ens), { tracked: 1, uncertain: 1 })
    assert.deepEqual(nonZero(site.tracker.stats().closient), { tracked: 1, dropped: 1 })
  })

  it('gives up what a page holds that outlasts its time', async () => {
    const shown = gate()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      trackImpression(closientAd())
      await shown.opened
      res.end()
    })
    const viewed = view(site.url)
    while (site.tracker.stats().closient?.held !== 1) await nextTurn()

    await site.tracker.close({ timeoutMs: 1 })
    assert.deepEqual(site.told, ['closient dropped: closed'])
    shown.open()
    await viewed

    assert.deepEqual(site.told, ['closient dropped: closed'])
    assert.equal(site.sandbox.closient.totals.calls, 0)
  })

  it('takes nothing any more, and the page stays up', async () => {
    await using site = await Publisher.start(track)
    await site.tracker.close()

    assert.equal((await view(site.url)).status, 200)

    await site.whenTold(2)
    assert.deepEqual(site.told, ['closient dropped: closed', 'ens dropped: closed'])
    assert.equal(site.sandbox.ens.totals.calls + site.sandbox.closient.totals.calls, 0)
  })

  it('is what the end of a scope does', async () => {
    await using network = await NetworkAtHand.start()
    const outcomes: string[] = []
    const server = createServer()
    {
      await using tracker = createTracker({ networks: [network.network], logger: loggerInto([]) })
      tracker.on('outcome', ({ outcome }) => void outcomes.push(outcome))
      server.on('request', (req, res) => {
        tracker.pageLoad(req, res)(ensAd())
        res.end()
      })
      await listening(server)
      await view(`http://127.0.0.1:${portOf(server)}/`)
      const call = await network.nextCall()
      setImmediate(() => call.succeed())
    }
    server.closeAllConnections()
    server.close()

    assert.deepEqual(outcomes, ['delivered'])
  })
})

describe('a process that has nothing left to do', () => {
  it('ends by itself, its tracker idle and never closed', async () => {
    await using sandbox = await startSandbox()
    const script = fileURLToPath(new URL('page-load/short-lived.ts', import.meta.url))

    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', script],
      { env: { ...process.env, ...sandbox.env } },
    )

    const delivered = { tracked: 1, delivered: 1 }
    assert.deepEqual(JSON.parse(stdout), { ens: delivered, closient: delivered })
    assert.equal(stderr, '')
    assert.equal(sandbox.ens.totals.impressions + sandbox.closient.totals.impressions, 2)
  })
})
