import assert from 'node:assert/strict'
import { nonZero } from './books.js'
import { view } from './browser.js'
import { closientAd, ensAd } from './campaigns.js'
import { closing, gate } from './gate.js'
import { type Page, Publisher } from './publisher.js'
import { RawClient, requestText } from './raw-client.js'

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
      client.send(requestText())
      await client.waitForBytes()

      await client.leave()

      await site.whenTold(1)
      assert.deepEqual(await site.settled(), ['closient suppressed: aborted'])
      assert.equal(site.sandbox.closient.totals.calls, 0)
    })

    it(`leaves what ENS was told already as it is, of a body that is ${written}`, async () => {
      await using site = await Publisher.start((visit) => {
        visit.trackImpression(ensAd())
        return write(visit)
      })
      const client = await RawClient.connect(site.port)
      client.send(requestText())
      await client.waitForBytes()

      await client.leave()

      assert.deepEqual(await site.settled(), ['ens delivered'])
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
    client.send(requestText())
    await client.waitForBytes()
    await client.leave()
    await site.whenTold(2)

    await view(site.url)

    await site.whenTold(4)
    assert.deepEqual(await site.settled(), [
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

    const { text } = await view(site.url)

    assert.equal(text.length, MORE_THAN_BUFFERS_HOLD.length)
    await site.whenTold(1)
    assert.deepEqual(await site.settled(), ['closient delivered'])
  })

  it('is shown nothing of what is tracked once it has gone', async () => {
    const left = gate()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('the first half, ')
      await closing(res)
      trackImpression(ensAd())
      trackImpression(closientAd())
      left.open()
    })
    const client = await RawClient.connect(site.port)
    client.send(requestText())
    await client.readUntil('the first half')

    await client.leave()

    await left.opened
    assert.deepEqual(await site.settled(), [
      'closient suppressed: aborted',
      'ens suppressed: aborted',
    ])
    assert.equal(site.sandbox.ens.totals.calls + site.sandbox.closient.totals.calls, 0)
  })

  it('is shown nothing either when the server ends the response that nobody reads', async () => {
    const left = gate()
    await using site = await Publisher.start(async ({ res, trackImpression }) => {
      res.write('the first half, ')
      await closing(res)
      res.end('the second')
      trackImpression(ensAd())
      trackImpression(closientAd())
      setImmediate(() => {
        trackImpression(ensAd(43))
        trackImpression(closientAd(43))
        left.open()
      })
    })
    const client = await RawClient.connect(site.port)
    client.send(requestText())
    await client.readUntil('the first half')

    await client.leave()

    await left.opened
    assert.deepEqual(nonZero(site.tracker.stats().ens), { tracked: 2, suppressed: 2 })
    assert.deepEqual(nonZero(site.tracker.stats().closient), { tracked: 2, suppressed: 2 })
  })

  for (const [network, ad] of [
    ['ens', ensAd()],
    ['closient', closientAd()],
  ] as const) {
    it(`is shown nothing of what is tracked later, on a page with an ad of ${network}`, async () => {
      const tracked = gate()
      await using site = await Publisher.start(async ({ res, trackImpression }) => {
        trackImpression(ad)
        res.end(MORE_THAN_BUFFERS_HOLD)
        await closing(res)
        trackImpression(ensAd(43))
        trackImpression(closientAd(43))
        tracked.open()
      })
      const client = await RawClient.connect(site.port)
      client.send(requestText())
      await client.waitForBytes()

      await client.leave()

      await tracked.opened
      const before = network === 'ens' ? ['ens delivered'] : ['closient suppressed: aborted']
      assert.deepEqual(
        await site.settled(),
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

    await assert.rejects(view(site.url))

    await site.whenTold(2)
    assert.deepEqual(await site.settled(), [
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

    await assert.rejects(view(site.url))

    await site.whenTold(1)
    assert.deepEqual(await site.settled(), ['closient suppressed: aborted'])
  })

  it('was no display when its head had promised a 200', async () => {
    await using site = await Publisher.start(({ req, res, trackImpression }) => {
      res.writeHead(200, { 'content-length': 100 })
      res.write('the first half')
      trackImpression(closientAd())
      // As Express does with an error once the head has gone.
      req.socket.destroy()
    })

    await assert.rejects(view(site.url))

    await site.whenTold(1)
    assert.deepEqual(await site.settled(), ['closient suppressed: aborted'])
  })
})
