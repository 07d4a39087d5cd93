import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { FastClock } from '../delivery/fast-clock.js'
import { closientAd } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { fetchPage } from './fetch-page.js'
import { type Page, Publisher } from './publisher.js'
import { formatRequest, RawClient } from './raw-client.js'
import { omitZeros } from './stats-assertions.js'
import { waitForClose } from './wait-for-close.js'

/** Opens the page, reads until `text` has come, and leaves. */
async function readAndDisconnect(site: Publisher, text: string, path = '/'): Promise<void> {
  await using client = await RawClient.connect(site.port)
  client.send(formatRequest(path))
  await client.readUntil(text)
  await client.disconnect()
}

/** Heads of an event stream, as applications write them. */
const EVENT_STREAMS: Readonly<Record<string, Page>> = {
  'whose head is given to writeHead alone': ({ res }) =>
    void res.writeHead(200, { 'Content-Type': 'text/event-stream' }),
  'whose head is written beside other headers': ({ res }) => {
    res.setHeader('x-powered-by', 'a framework')
    res.writeHead(200, { 'content-type': 'Text/Event-Stream; charset=utf-8' })
  },
  'whose type is set, and its head flushed': ({ res }) => {
    res.setHeader('content-type', 'text/event-stream')
    res.flushHeaders()
  },
}

describe('a stream of server-sent events', () => {
  for (const [what, begin] of Object.entries(EVENT_STREAMS)) {
    it(`displays each ad as it is written: one ${what}`, async () => {
      await using site = await Publisher.start(async (visit) => {
        await begin(visit)
        for (const n of [1, 2, 3]) {
          visit.trackImpression(closientAd(n))
          visit.res.write(`data: ad ${n}\n\n`)
        }
      })

      await readAndDisconnect(site, 'ad 3')

      await site.waitForOutcomes(3)
      assert.deepEqual(await site.closeAndSummarize(), new Array(3).fill('closient delivered'))
    })
  }

  it('displays what it tracked before its head was written, though the viewer ends it', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: ad\n\n')
    })

    await readAndDisconnect(site, 'ad')

    await site.waitForOutcomes(1)
    assert.deepEqual(site.summaries, ['closient delivered'])
  })

  it('displays nothing that is tracked once the viewer has left', async () => {
    const left = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: begun\n\n')
      await waitForClose(res)
      trackImpression(closientAd())
      left.resolve()
    })

    await readAndDisconnect(site, 'begun')

    await left.promise
    assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: aborted'])
  })

  it('displays nothing if it is an error', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.writeHead(503, { 'content-type': 'text/event-stream' })
      res.write('data: sorry\n\n')
    })

    await readAndDisconnect(site, 'sorry')

    assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: server-error'])
  })
})

describe('a page that never ends', () => {
  const SPEED = 100

  it('is counted half a minute after its ad, while it is still open', async () => {
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        trackImpression(closientAd())
        res.write('<p>an ad, and more to come')
      },
      {},
      { clock: new FastClock(SPEED) },
    )
    await using client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('more to come')
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 1, held: 1 })

    await site.waitForOutcomes(1)
    await client.disconnect()

    assert.deepEqual(site.summaries, ['closient delivered'])
    const [event] = site.outcomes
    assert.ok(event && event.latencyMs >= 30_000)
  })

  it('is not counted while nothing of it was written', async () => {
    await using site = await Publisher.start(
      ({ trackImpression }) => void trackImpression(closientAd()),
      {},
      { clock: new FastClock(SPEED) },
    )
    await using client = await RawClient.connect(site.port)
    client.send(formatRequest())
    // A minute of the clock's.
    await sleep(60_000 / SPEED)
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 1, held: 1 })

    await client.disconnect()

    await site.waitForOutcomes(1)
    assert.deepEqual(site.summaries, ['closient suppressed: aborted'])
  })

  it('holds no more impressions than may be pending', async () => {
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        for (let n = 0; n < 50; n += 1) trackImpression(closientAd(n))
        res.write('fifty ads')
      },
      { delivery: { maxPending: 7 } },
    )
    await using client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('fifty ads')

    assert.deepEqual(omitZeros(site.tracker.stats().closient), {
      tracked: 50,
      held: 7,
      dropped: 43,
    })
  })
})

describe('a request that is sent again while its first response is open', () => {
  /** `/slow` is never finished. */
  const page: Page = ({ req, res, trackImpression }) => {
    trackImpression(closientAd())
    res.write('an ad')
    if (req.url !== '/slow') res.end()
  }
  const start = () => Publisher.start(page, { requestId: () => 'a-page-load' })

  it('counts, and the first one that breaks off later does not', async () => {
    await using site = await start()
    await using first = await RawClient.connect(site.port)
    first.send(formatRequest('/slow'))
    await first.readUntil('an ad')

    await fetchPage(site.url)
    await site.waitForOutcomes(1)
    await first.disconnect()

    await site.waitForOutcomes(2)
    assert.deepEqual(site.summaries, ['closient delivered', 'closient suppressed: aborted'])
    assert.equal(site.sandbox.closient.totals.impressions, 1)
  })

  it('counts if the first one breaks off before it has finished itself', async () => {
    await using site = await start()
    await readAndDisconnect(site, 'an ad', '/slow')
    await site.waitForOutcomes(1)

    await fetchPage(site.url)

    await site.waitForOutcomes(2)
    assert.deepEqual(site.summaries, ['closient delivered', 'closient suppressed: aborted'])
  })

  it('counts once however often it is sent, and however many break off', async () => {
    await using site = await start()
    const slow = await Promise.all([1, 2, 3].map(() => RawClient.connect(site.port)))
    for (const client of slow) {
      client.send(formatRequest('/slow'))
      await client.readUntil('an ad')
    }
    await slow[1]?.disconnect()

    await Promise.all([fetchPage(site.url), fetchPage(site.url)])
    await slow[0]?.disconnect()
    await slow[2]?.disconnect()

    await site.waitForOutcomes(5)
    assert.deepEqual(omitZeros(site.tracker.stats().closient), {
      tracked: 5,
      delivered: 1,
      duplicate: 1,
      suppressed: 3,
    })
    assert.equal(site.sandbox.closient.totals.impressions, 1)
  })
})
