import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import express from 'express'
import Koa from 'koa'
import { ConfigurationError } from '../../lib/errors.js'
import { impressions as expressImpressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { createTracker } from '../../lib/tracker.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { OutcomeRecorder } from '../page-load/outcome-recorder.js'
import { createNetworks } from '../page-load/sandbox-networks.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { startServer } from './start-server.js'

function renderAds(trackImpression: TrackImpression): string {
  return `[${trackImpression(ensAd())}${trackImpression(closientAd())}]`
}

describe('a tracker that an Express app and a Koa app share', () => {
  it('counts the page loads of both separately', async () => {
    await using sandbox = await startSandbox()
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
    })
    const recorder = new OutcomeRecorder(tracker)
    const expressApp = express().use(expressImpressions({ tracker }))
    expressApp.use((_req, res) => void res.send(renderAds(res.locals.trackImpression)))
    const koaApp = new Koa().use(koaImpressions({ tracker }))
    koaApp.use((ctx) => {
      ctx.body = renderAds(ctx.state.trackImpression)
    })
    const servers = [
      await startServer('http1', { listener: expressApp }),
      await startServer('http1', { listener: koaApp.callback() }),
    ]

    for (const { port } of servers) {
      assert.equal((await fetchPage(`http://127.0.0.1:${port}/`)).text, '[]')
    }

    await recorder.waitForOutcomes(4)
    await Promise.all(servers.map((server) => server.close()))
    assert.deepEqual(await recorder.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'ens delivered',
      'ens delivered',
    ])
  })

  it('counts a page load that passes through both only once', async () => {
    await using sandbox = await startSandbox()
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
    })
    const recorder = new OutcomeRecorder(tracker)
    const helpers: unknown[] = []
    const koaApp = new Koa().use(koaImpressions({ tracker }))
    koaApp.use((ctx) => {
      helpers.push(ctx.state.trackImpression)
      ctx.body = renderAds(ctx.state.trackImpression)
    })
    const expressApp = express().use(expressImpressions({ tracker }))
    expressApp.use((_req, res, next) => {
      helpers.push(res.locals.trackImpression)
      renderAds(res.locals.trackImpression)
      next()
    })
    expressApp.use(koaApp.callback())
    const server = await startServer('http1', { listener: expressApp })

    await fetchPage(`http://127.0.0.1:${server.port}/`)

    await recorder.waitForOutcomes(4)
    await server.close()
    assert.equal(helpers.length, 2)
    assert.equal(helpers[0], helpers[1])
    assert.deepEqual(await recorder.closeAndSummarize(), [
      'closient delivered',
      'closient duplicate',
      'ens delivered',
      'ens duplicate',
    ])
  })

  it("passes Node's request to its options' functions in both", async () => {
    await using sandbox = await startSandbox()
    const received: unknown[] = []
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
      requestId(req) {
        received.push(req)
        return String(req.headers['x-page-load'])
      },
    })
    const expressApp = express().use(expressImpressions({ tracker }))
    expressApp.use((_req, res) => void res.send(res.locals.trackImpression.requestId))
    const koaApp = new Koa().use(koaImpressions({ tracker }))
    koaApp.use((ctx) => {
      ctx.body = ctx.state.trackImpression.requestId
    })

    for (const listener of [expressApp, koaApp.callback()]) {
      const server = await startServer('http1', { listener })
      const headers = { 'x-page-load': 'an-id' }
      assert.equal((await fetchPage(`http://127.0.0.1:${server.port}/`, { headers })).text, 'an-id')
      await server.close()
    }

    assert.equal(received.length, 2)
    assert.ok(received.every((req) => req instanceof IncomingMessage))
    await tracker.close()
  })

  it('has its methods on both middlewares', async () => {
    await using sandbox = await startSandbox()
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
    })
    for (const middleware of [expressImpressions({ tracker }), koaImpressions({ tracker })]) {
      const { stats, flush, close, on } = middleware
      assert.deepEqual(stats(), tracker.stats())
      assert.deepEqual(omitZeros(stats().ens), {})
      await flush()
      on('outcome', () => {})()
      assert.equal(close(), tracker.close())
      assert.equal(typeof middleware[Symbol.asyncDispose], 'function')
    }
  })

  for (const impressions of [expressImpressions, koaImpressions]) {
    it('is rejected together with other options, and if it is not a tracker', () => {
      const tracker = createTracker({ networks: createNetworks(UNUSED_CONNECTIONS) })
      const withOtherOption = { tracker, strict: true }
      assert.throws(() => impressions(withOtherOption), ConfigurationError)
      const notATracker: unknown = {}
      assert.throws(
        () => impressions({ tracker: notATracker as typeof tracker }),
        ConfigurationError,
      )
    })
  }
})

/** Connections that are never used. */
const UNUSED_CONNECTIONS = {
  ens: { apiKey: 'key', baseUrl: 'http://127.0.0.1:9' },
  closient: { apiKey: 'csb_key', baseUrl: 'http://127.0.0.1:9' },
}
