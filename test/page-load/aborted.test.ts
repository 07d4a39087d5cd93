import assert from 'node:assert/strict'
import { closientAd, ensAd } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { fetchPage } from './fetch-page.js'
import { type Page, Publisher } from './publisher.js'
import { formatRequest, RawClient } from './raw-client.js'
import { omitZeros } from './stats-assertions.js'
import { waitForClose } from './wait-for-close.js'

/** More than the kernel's buffers hold, so that the write stalls if the client does not read. */
const LARGE_BODY = Buffer.alloc(32 * 1_024 * 1_024, 'x')

/** The ways in which a server can write a body that is too large for one write. */
const WRITERS: Readonly<Record<string, Page>> = {
  'passed to end()': ({ res }) => void res.end(LARGE_BODY),
  'passed to end() with Connection: close': ({ res }) => {
    res.setHeader('connection', 'close')
    res.end(LARGE_BODY)
  },
  'written in chunks and ended': ({ res }) => {
    for (let n = 0; n < 32; n += 1) res.write(LARGE_BODY.subarray(0, 1_024 * 1_024))
    res.end()
  },
  'written and never ended': ({ res }) => void res.write(LARGE_BODY),
}

describe('a client that disconnects in the middle of the body', () => {
  for (const [how, write] of Object.entries(WRITERS)) {
    it(`suppresses what is held, with a body ${how}`, async () => {
      await using site = await Publisher.start((visit) => {
        visit.trackImpression(closientAd())
        return write(visit)
      })
      const client = await RawClient.connect(site.port)
      client.send(formatRequest())
      await client.waitForBytes()

      await client.disconnect()

      await site.waitForOutcomes(1)
      assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: aborted'])
      assert.equal(site.sandbox.closient.totals.calls, 0)
    })

    it(`does not change what was sent to ENS, with a body ${how}`, async () => {
      await using site = await Publisher.start((visit) => {
        visit.trackImpression(ensAd())
        return write(visit)
      })
      const client = await RawClient.connect(site.port)
      client.send(formatRequest())
      await client.waitForBytes()

      await client.disconnect()

      assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
      assert.equal(site.sandbox.ens.totals.impressions, 1)
    })
  }

  it('is counted when it requests the same page load again', async () => {
    let visits = 0
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        visits += 1
        trackImpression(closientAd())
        trackImpression(ensAd())
        res.end(visits === 1 ? LARGE_BODY : 'short')
      },
      { requestId: () => 'the-same-page-load' },
    )
    const client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.waitForBytes()
    await client.disconnect()
    await site.waitForOutcomes(2)

    await fetchPage(site.url)

    await site.waitForOutcomes(4)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient delivered',
      'closient suppressed: aborted',
      'ens delivered',
      'ens duplicate',
    ])
    assert.equal(site.sandbox.closient.totals.impressions, 1)
    assert.equal(site.sandbox.ens.totals.impressions, 1)
  })

  it('is counted if it has read the whole body, with Connection: close', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.setHeader('connection', 'close')
      res.end(LARGE_BODY)
    })

    const { text } = await fetchPage(site.url)

    assert.equal(text.length, LARGE_BODY.length)
    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered'])
  })

  it('suppresses what is tracked after it has disconnected', async () => {
    const tracked = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('the first half, ')
      await waitForClose(res)
      trackImpression(ensAd())
      trackImpression(closientAd())
      tracked.resolve()
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('the first half')

    await client.disconnect()

    await tracked.promise
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: aborted',
      'ens suppressed: aborted',
    ])
    assert.equal(site.sandbox.ens.totals.calls + site.sandbox.closient.totals.calls, 0)
  })

  it('suppresses what is tracked even if the server then ends the response', async () => {
    const tracked = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('the first half, ')
      await waitForClose(res)
      res.end('the second')
      trackImpression(ensAd())
      trackImpression(closientAd())
      setImmediate(() => {
        trackImpression(ensAd(43))
        trackImpression(closientAd(43))
        tracked.resolve()
      })
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('the first half')

    await client.disconnect()

    await tracked.promise
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, suppressed: 2 })
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 2, suppressed: 2 })
  })

  for (const [network, ad] of [
    ['ens', ensAd()],
    ['closient', closientAd()],
  ] as const) {
    it(`suppresses what is tracked later, on a page that has tracked an ad of ${network}`, async () => {
      const tracked = createDeferred()
      await using site = await Publisher.start(async ({ res, trackImpression }) => {
        trackImpression(ad)
        res.end(LARGE_BODY)
        await waitForClose(res)
        trackImpression(ensAd(43))
        trackImpression(closientAd(43))
        tracked.resolve()
      })
      const client = await RawClient.connect(site.port)
      client.send(formatRequest())
      await client.waitForBytes()

      await client.disconnect()

      await tracked.promise
      const earlier = network === 'ens' ? ['ens delivered'] : ['closient suppressed: aborted']
      assert.deepEqual(
        await site.closeAndSummarize(),
        [...earlier, 'closient suppressed: aborted', 'ens suppressed: aborted'].sort(),
      )
    })
  }
})

describe('a response that the server destroys', () => {
  it('is not a display', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.write('the first half')
      res.destroy()
      trackImpression(ensAd())
    })

    await assert.rejects(fetchPage(site.url))

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: aborted',
      'ens suppressed: aborted',
    ])
  })

  it('is not a display even if it is ended after that', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.write('the first half')
      res.destroy()
      res.end('the second')
    })

    await assert.rejects(fetchPage(site.url))

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: aborted'])
  })

  it('is not a display even if the head with status 200 was sent', async () => {
    await using site = await Publisher.start(({ req, res, trackImpression }) => {
      res.writeHead(200, { 'content-length': 100 })
      res.write('the first half')
      trackImpression(closientAd())
      // Express does this with an error after the head was sent.
      req.socket.destroy()
    })

    await assert.rejects(fetchPage(site.url))

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: aborted'])
  })
})
