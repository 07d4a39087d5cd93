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

function show(trackImpression: TrackImpression): string {
  return `[${trackImpression(ensAd())}${trackImpression(closientAd())}]`
}

describe('a tracker that an Express app and a Koa app share', () => {
  it('counts the page loads of both, each of its own', async () => {
    await using sandbox = await startSandbox()
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
    })
    const witness = new OutcomeRecorder(tracker)
    const expressApp = express().use(expressImpressions({ tracker }))
    expressApp.use((_req, res) => void res.send(show(res.locals.trackImpression)))
    const koaApp = new Koa().use(koaImpressions({ tracker }))
    koaApp.use((ctx) => {
      ctx.body = show(ctx.state.trackImpression)
    })
    const served = [
      await startServer('http1', { listener: expressApp }),
      await startServer('http1', { listener: koaApp.callback() }),
    ]

    for (const { port } of served) {
      assert.equal((await fetchPage(`http://127.0.0.1:${port}/`)).text, '[]')
    }

    await witness.waitForOutcomes(4)
    await Promise.all(served.map((server) => server.close()))
    assert.deepEqual(await witness.closeAndSummarize(), [
      'closient delivered',
      'closient delivered',
      'ens delivered',
      'ens delivered',
    ])
  })

  it('counts a page load once that passes through both', async () => {
    await using sandbox = await startSandbox()
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
    })
    const witness = new OutcomeRecorder(tracker)
    const helpers: unknown[] = []
    const koaApp = new Koa().use(koaImpressions({ tracker }))
    koaApp.use((ctx) => {
      helpers.push(ctx.state.trackImpression)
      ctx.body = show(ctx.state.trackImpression)
    })
    const expressApp = express().use(expressImpressions({ tracker }))
    expressApp.use((_req, res, next) => {
      helpers.push(res.locals.trackImpression)
      show(res.locals.trackImpression)
      next()
    })
    expressApp.use(koaApp.callback())
    const served = await startServer('http1', { listener: expressApp })

    await fetchPage(`http://127.0.0.1:${served.port}/`)

    await witness.waitForOutcomes(4)
    await served.close()
    assert.equal(helpers.length, 2)
    assert.equal(helpers[0], helpers[1])
    assert.deepEqual(await witness.closeAndSummarize(), [
      'closient delivered',
      'closient duplicate',
      'ens delivered',
      'ens duplicate',
    ])
  })

  it('hands node’s request to its options’ functions in both', async () => {
    await using sandbox = await startSandbox()
    const asked: unknown[] = []
    const tracker = createTracker({
      networks: createNetworks(sandbox),
      logger: createMemoryLogger([]),
      requestId(req) {
        asked.push(req)
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
      const served = await startServer('http1', { listener })
      const headers = { 'x-page-load': 'an-id' }
      assert.equal((await fetchPage(`http://127.0.0.1:${served.port}/`, { headers })).text, 'an-id')
      await served.close()
    }

    assert.equal(asked.length, 2)
    assert.ok(asked.every((req) => req instanceof IncomingMessage))
    await tracker.close()
  })

  it('has its methods on each middleware', async () => {
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
    it('is refused beside other options, and where it is none', () => {
      const tracker = createTracker({ networks: createNetworks(sandboxOfNowhere) })
      const beside = { tracker, strict: true }
      assert.throws(() => impressions(beside), ConfigurationError)
      const none: unknown = {}
      assert.throws(() => impressions({ tracker: none as typeof tracker }), ConfigurationError)
    })
  }
})

/** Networks that are never called. */
const sandboxOfNowhere = {
  ens: { apiKey: 'key', baseUrl: 'http://127.0.0.1:9' },
  closient: { apiKey: 'csb_key', baseUrl: 'http://127.0.0.1:9' },
}
