import assert from 'node:assert/strict'
import { closientAd, ensAd } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { fetchPage } from './fetch-page.js'
import { type Page, Publisher } from './publisher.js'
import { formatRequest, RawClient } from './raw-client.js'
import { omitZeros } from './stats-assertions.js'
import { waitForClose } from './wait-for-close.js'

/** More than the kernel's buffers hold, so that a client who does not read stops the server. */
const MORE_THAN_BUFFERS_HOLD = Buffer.alloc(32 * 1_024 * 1_024, 'x')

/** The ways in which a server writes a body that is too large for one write. */
const LARGE_BODIES: Readonly<Record<string, Page>> = {
  'ended at once': ({ res }) => void res.end(MORE_THAN_BUFFERS_HOLD),
  'ended at once, on a connection to be closed': ({ res }) => {
    res.setHeader('connection', 'close')
    res.end(MORE_THAN_BUFFERS_HOLD)
  },
  'written in chunks and ended': ({ res }) => {
    for (let n = 0; n < 32; n += 1) res.write(MORE_THAN_BUFFERS_HOLD.subarray(0, 1_024 * 1_024))
    res.end()
  },
  'written and never ended': ({ res }) => void res.write(MORE_THAN_BUFFERS_HOLD),
}

describe('a client that hangs up mid-body', () => {
  for (const [written, write] of Object.entries(LARGE_BODIES)) {
    it(`was shown nothing of what a body holds that is ${written}`, async () => {
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

    it(`leaves what ENS was told already as it is, of a body that is ${written}`, async () => {
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

  it('is counted when it loads the same page load again', async () => {
    let visits = 0
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        visits += 1
        trackImpression(closientAd())
        trackImpression(ensAd())
        res.end(visits === 1 ? MORE_THAN_BUFFERS_HOLD : 'short')
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

  it('is counted when it had read the body whole, on a connection that is then closed', async () => {
    await using site = await Publisher.start(({ res, trackImpression }) => {
      trackImpression(closientAd())
      res.setHeader('connection', 'close')
      res.end(MORE_THAN_BUFFERS_HOLD)
    })

    const { text } = await fetchPage(site.url)

    assert.equal(text.length, MORE_THAN_BUFFERS_HOLD.length)
    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered'])
  })

  it('is shown nothing of what is tracked once it has gone', async () => {
    const left = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('the first half, ')
      await waitForClose(res)
      trackImpression(ensAd())
      trackImpression(closientAd())
      left.resolve()
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('the first half')

    await client.disconnect()

    await left.promise
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: aborted',
      'ens suppressed: aborted',
    ])
    assert.equal(site.sandbox.ens.totals.calls + site.sandbox.closient.totals.calls, 0)
  })

  it('is shown nothing either when the server ends the response that nobody reads', async () => {
    const left = createDeferred()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('the first half, ')
      await waitForClose(res)
      res.end('the second')
      trackImpression(ensAd())
      trackImpression(closientAd())
      setImmediate(() => {
        trackImpression(ensAd(43))
        trackImpression(closientAd(43))
        left.resolve()
      })
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest())
    await client.readUntil('the first half')

    await client.disconnect()

    await left.promise
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, suppressed: 2 })
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 2, suppressed: 2 })
  })

  for (const [network, ad] of [
    ['ens', ensAd()],
    ['closient', closientAd()],
  ] as const) {
    it(`is shown nothing of what is tracked later, on a page with an ad of ${network}`, async () => {
      const tracked = createDeferred()
      await using site = await Publisher.start(async ({ res, trackImpression }) => {
        trackImpression(ad)
        res.end(MORE_THAN_BUFFERS_HOLD)
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
      const before = network === 'ens' ? ['ens delivered'] : ['closient suppressed: aborted']
      assert.deepEqual(
        await site.closeAndSummarize(),
        [...before, 'closient suppressed: aborted', 'ens suppressed: aborted'].sort(),
      )
    })
  }
})

describe('a response that the server destroys', () => {
  it('was no display', async () => {
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

  it('was no display if it is ended after that', async () => {
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

  it('was no display when its head had promised a 200', async () => {
    await using site = await Publisher.start(({ req, res, trackImpression }) => {
      res.writeHead(200, { 'content-length': 100 })
      res.write('the first half')
      trackImpression(closientAd())
      // As Express does with an error once the head has gone.
      req.socket.destroy()
    })

    await assert.rejects(fetchPage(site.url))

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: aborted'])
  })
})
