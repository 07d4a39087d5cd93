import assert from 'node:assert/strict'
import { closientAd, ensAd, shortuuid } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { fetchPage } from './fetch-page.js'
import { Publisher } from './publisher.js'
import { formatRequest, RawClient } from './raw-client.js'
import { waitForClose } from './wait-for-close.js'

describe('a page that is streamed', () => {
  it('counts impressions tracked after the head was sent', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      res.writeHead(200, { 'content-type': 'text/html' })
      res.write('<p>')
      trackImpression(ensAd())
      trackImpression(closientAd())
      res.end('</p>')
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })

  it('sends to ENS while it is being written, and to Closient when it has finished', async () => {
    const ensDelivered = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('<p>')
      trackImpression(ensAd())
      trackImpression(closientAd(1))
      await ensDelivered.promise
      trackImpression(closientAd(2))
      res.end('</p>')
    })
    await using client = await RawClient.connect(site.port)
    client.send(formatRequest())

    await site.sandbox.ens.received(1)
    await site.waitForOutcomes(1)
    assert.deepEqual(site.summaries, ['ens delivered'])
    assert.equal(site.tracker.stats().closient?.held, 1)
    assert.equal(site.sandbox.closient.totals.calls, 0)
    ensDelivered.resolve()

    await site.waitForOutcomes(3)
    assert.equal(site.sandbox.closient.totals.calls, 1)
    assert.equal(site.sandbox.closient.totals.impressions, 2)
  })

  it('sends impressions tracked after it has finished at once, in a separate batch', async () => {
    const finished = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      trackImpression(closientAd(1))
      res.end('a page')
      await waitForClose(res)
      await site.waitForOutcomes(1)
      trackImpression(closientAd(2))
      trackImpression(ensAd())
      finished.resolve()
    })

    await fetchPage(site.url)

    await finished.promise
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'ens delivered',
    ])
    const batches = site.sandbox.closient.impressions.map(({ campaignId, call }) => [
      call,
      campaignId,
    ])
    assert.deepEqual(batches, [
      [1, shortuuid(1)],
      [2, shortuuid(2)],
    ])
  })

  it('sends impressions at once if the first is tracked after it has finished', async () => {
    const tracked = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.end('a page')
      await waitForClose(res)
      trackImpression(closientAd())
      tracked.resolve()
    })

    await fetchPage(site.url)

    await tracked.promise
    assert.equal(site.tracker.stats().closient?.held, 0)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered'])
  })

  it("sends impressions tracked by a listener of 'finish'", async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      res.on('finish', () => trackImpression(closientAd(2)))
      trackImpression(closientAd(1))
      res.end('a page')
    })

    await fetchPage(site.url)

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'closient delivered'])
  })

  it('still counts if the viewer closes the keep-alive connection after it has finished', async () => {
    const closed = createDeferred()
    await using site = await Publisher.start(async ({ req, res, trackImpression }) => {
      res.end('a page')
      await waitForClose(req.socket)
      trackImpression(closientAd())
      trackImpression(ensAd())
      closed.resolve()
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('a page')

    await client.disconnect()

    await closed.promise
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })

  it('counts when its write and end are wrapped, as compression does', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      const end = res.end.bind(res)
      const chunks: string[] = []
      Object.assign(res, {
        write: (chunk: string) => chunks.push(chunk) > 0,
        end: (chunk: string) => {
          setImmediate(() => end([...chunks, chunk].join('').toUpperCase()))
          return res
        },
      })
      trackImpression(closientAd())
      res.write('a wrapped ')
      trackImpression(ensAd())
      res.end('page')
    })

    assert.equal((await fetchPage(site.url)).text, 'A WRAPPED PAGE')

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })
})
