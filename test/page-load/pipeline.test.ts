import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { closientAd, ensAd } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { type Page, Publisher } from './publisher.js'
import { formatRequest, RawClient } from './raw-client.js'
import { omitZeros } from './stats-assertions.js'
import { waitForClose } from './wait-for-close.js'

const PIPELINED = 30

/** Runs `task`. Returns the names of the warnings that the process emits meanwhile. */
async function collectWarnings(task: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = []
  const addWarning = ({ name }: Error) => void warnings.push(name)
  process.on('warning', addWarning)
  try {
    await task()
    // Warnings are emitted in a later tick.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', addWarning)
  }
  return warnings
}

const renderAds: Page = ({ req, res, trackImpression }) => {
  trackImpression(closientAd())
  trackImpression(ensAd())
  res.end(`page ${req.url};`)
}

describe('two page loads on one connection', () => {
  it('count separately when one follows the other', async () => {
    const sockets = new Set<Socket>()
    await using site = await Publisher.start((visit) => {
      sockets.add(visit.req.socket)
      return renderAds(visit)
    })
    await using client = await RawClient.connect(site.port)

    client.send(formatRequest('/1'))
    await client.readUntil('page /1;')
    client.send(formatRequest('/2'))
    await client.readUntil('page /2;')

    await site.waitForOutcomes(4)
    assert.equal(sockets.size, 1)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 2, delivered: 2 })
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 2, delivered: 2 })
    assert.equal(new Set(site.outcomes.map(({ requestId }) => requestId)).size, 2)
  })

  it('count separately when the second is aborted', async () => {
    await using site = await Publisher.start((visit) => {
      if (visit.req.url === '/1') return renderAds(visit)
      visit.trackImpression(closientAd())
      visit.res.write('half a page')
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest('/1'))
    await client.readUntil('page /1;')
    await site.waitForOutcomes(2)
    client.send(formatRequest('/2'))
    await client.readUntil('half a page')

    await client.disconnect()

    await site.waitForOutcomes(3)
    assert.deepEqual(site.summaries, [
      'closient delivered',
      'closient suppressed: aborted',
      'ens delivered',
    ])
  })
})

describe('pipelined page loads', () => {
  it('count each when it is written, the slow first one before the others', async () => {
    const slow = createDeferred()
    await using site = await Publisher.start(async (visit) => {
      if (visit.req.url === '/1') await slow.promise
      await renderAds(visit)
    })
    await using client = await RawClient.connect(site.port)

    client.send(formatRequest('/1') + formatRequest('/2') + formatRequest('/3'))
    await site.waitForOutcomes(2)
    assert.deepEqual(
      site.summaries,
      ['ens delivered', 'ens delivered'],
      'ENS impressions are sent at once',
    )
    assert.equal(site.tracker.stats().closient?.held, 2)
    slow.resolve()

    await client.readUntil('page /3;')
    await site.waitForOutcomes(6)
    assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: 3, delivered: 3 })
  })

  it('that are waiting when the client disconnects are suppressed', async () => {
    const arrived = createDeferred()
    await using site = await Publisher.start(({ req, res, trackImpression }) => {
      trackImpression(closientAd())
      if (req.url === '/2') res.end('ended, but never sent')
      if (req.url === '/3') res.write('started, but never sent')
      if (req.url === '/4') arrived.resolve()
    })
    const client = await RawClient.connect(site.port)
    client.send(['/1', '/2', '/3', '/4'].map((path) => formatRequest(path)).join(''))
    await arrived.promise

    await client.disconnect()

    await site.waitForOutcomes(4)
    assert.deepEqual(await site.closeAndSummarize(), Array(4).fill('closient suppressed: aborted'))
  })

  it('that are waiting suppress what they track after the client has disconnected', async () => {
    const arrived = createDeferred()
    const tracked = createDeferred()
    await using site = await Publisher.start(async ({ req, res, trackImpression }) => {
      if (req.url === '/1') return
      arrived.resolve()
      res.end('ended, but never sent')
      await waitForClose(req.socket)
      trackImpression(closientAd())
      trackImpression(ensAd())
      tracked.resolve()
    })
    const client = await RawClient.connect(site.port)
    client.send(formatRequest('/1') + formatRequest('/2'))
    await arrived.promise

    await client.disconnect()

    await tracked.promise
    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: aborted',
      'ens suppressed: aborted',
    ])
  })

  for (const [what, isDisconnected] of [
    ['are answered', false],
    ['are aborted', true],
  ] as const) {
    it(`leave no listener on the socket and cause no warning, when ${PIPELINED} ${what}`, async () => {
      const allWaiting = createDeferred()
      const sockets = new Map<Socket, unknown[]>()
      let waiting = 0
      await using site = await Publisher.start(async ({ req, res, trackImpression }) => {
        const { socket } = req
        if (!sockets.has(socket)) sockets.set(socket, socket.listeners('close'))
        trackImpression(closientAd())
        waiting += 1
        if (waiting === PIPELINED) allWaiting.resolve()
        if (req.url === '/1') await canAnswer.promise
        res.end(`page ${req.url};`)
      })
      const canAnswer = createDeferred()
      const client = await RawClient.connect(site.port)

      const warnings = await collectWarnings(async () => {
        const paths = Array.from({ length: PIPELINED }, (_, n) => formatRequest(`/${n + 1}`))
        client.send(paths.join(''))
        await allWaiting.promise
        if (isDisconnected) {
          await client.disconnect()
        } else {
          canAnswer.resolve()
          await client.readUntil(`page /${PIPELINED};`)
        }
        await site.waitForOutcomes(PIPELINED)
      })

      assert.deepEqual(warnings, [])
      const outcome = isDisconnected ? 'suppressed' : 'delivered'
      assert.deepEqual(omitZeros(site.tracker.stats().closient), {
        tracked: PIPELINED,
        [outcome]: PIPELINED,
      })
      assert.equal(sockets.size, 1)
      for (const [socket, before] of sockets) {
        const added = socket.listeners('close').filter((listener) => !before.includes(listener))
        assert.deepEqual(added, [])
      }
      await client[Symbol.asyncDispose]()
    })
  }
})
