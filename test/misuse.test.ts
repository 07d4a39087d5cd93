import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import Fastify, { type FastifyPluginCallback } from 'fastify'
import Koa, { type Middleware } from 'koa'
import { type Clock, systemClock } from '../lib/clock.js'
import { impressions } from '../lib/express.js'
import { impressions as fastifyImpressions } from '../lib/fastify.js'
import { impressions as koaImpressions } from '../lib/koa.js'
import { ens } from '../lib/networks/ens.js'
import { createTracker } from '../lib/tracker.js'
import { startServer } from './frameworks/start-server.js'
import { ensAd } from './page-load/campaigns.js'
import { fetchPage } from './page-load/fetch-page.js'
import { createMemoryLogger } from './page-load/memory-logger.js'
import { Publisher } from './page-load/publisher.js'
import { VisibleSite } from './visibility/visible-site.js'

/** Options with a logger that keeps the lines. */
function createOptions() {
  const lines: string[] = []
  const networks = [ens({ apiKey: 'test', baseUrl: 'http://127.0.0.1:9' })]
  return { lines, options: { networks, logger: createMemoryLogger(lines) } }
}

const readCodes = (lines: readonly string[]) =>
  lines.map((line) => /^ad-impressions: ([a-z-]+): /.exec(line)?.[1])

/** Requests the page of an app three times. */
async function visit(listener: RequestListener): Promise<string> {
  const server = await startServer('http1', { listener })
  try {
    const url = `http://127.0.0.1:${server.port}/`
    await fetchPage(url)
    await fetchPage(url)
    return (await fetchPage(url)).text
  } finally {
    await server.close()
  }
}

describe('a second tracker', () => {
  it('in Express is named once, in its own log', async () => {
    const [first, second] = [createOptions(), createOptions()]
    const app = express()
    app.use(impressions(first.options), impressions(second.options))
    app.use((_req, res) => void res.send('page'))
    assert.equal(await visit(app), 'page')
    assert.deepEqual(readCodes(second.lines), ['second-tracker'])
    assert.deepEqual(first.lines, [])
  })

  it('in Koa is named once, in its own log', async () => {
    const [first, second] = [createOptions(), createOptions()]
    const app = new Koa()
    app.use(koaImpressions(first.options)).use(koaImpressions(second.options))
    app.use((ctx) => {
      ctx.body = 'page'
    })
    assert.equal(await visit(app.callback()), 'page')
    assert.deepEqual(readCodes(second.lines), ['second-tracker'])
    assert.deepEqual(first.lines, [])
  })

  it('in Fastify is named once, in its own log', async () => {
    const [first, second] = [createOptions(), createOptions()]
    const app = Fastify()
    await app.register(fastifyImpressions(first.options))
    await app.register(fastifyImpressions(second.options))
    app.get('/', async () => 'page')
    await app.inject('/')
    await app.inject('/')
    await app.close()
    assert.deepEqual(readCodes(second.lines), ['second-tracker'])
    assert.deepEqual(first.lines, [])
  })

  it('is not one that is mounted twice, or shared', async () => {
    const { lines, options } = createOptions()
    const tracker = createTracker(options)
    const middleware = impressions({ tracker })
    const app = express()
    app.use(middleware, middleware, impressions({ tracker }))
    app.use((_req, res) => void res.send('page'))
    assert.equal(await visit(app), 'page')
    assert.deepEqual(lines, [])
  })
})

describe('the middleware of another framework', () => {
  it('that is for Koa is named in Express, and pages are served', async () => {
    const { lines, options } = createOptions()
    const app = express()
    app.use(Reflect.apply(toAny, undefined, [koaImpressions(options)]) as RequestHandler)
    app.use((_req, res) => void res.send('page'))
    assert.equal(await visit(app), 'page')
    assert.deepEqual(readCodes(lines), ['koa-in-express'])
  })

  it('that is for Express is named in Koa, and pages are served', async () => {
    const { lines, options } = createOptions()
    const app = new Koa()
    app.use(Reflect.apply(toAny, undefined, [impressions(options)]) as Middleware)
    app.use(async (ctx) => {
      ctx.body = await Promise.resolve('page')
    })
    assert.equal(await visit(app.callback()), 'page')
    assert.deepEqual(readCodes(lines), ['express-in-koa'])
  })
})

describe('the plugin for Fastify', () => {
  it('names the right import where another framework calls it', async () => {
    const { options } = createOptions()
    const app = express()
    const fails: ErrorRequestHandler = (error, _req, res, _next) => void res.send(error.message)
    app.use(Reflect.apply(toAny, undefined, [fastifyImpressions(options)]) as RequestHandler, fails)
    assert.match(await visit(app), /Import impressions from 'ad-impressions' in Express/)
  })
})

describe('the middleware for Express in Fastify', () => {
  it('is named, and pages are served', async () => {
    const { lines, options } = createOptions()
    const app = Fastify()
    await app.register(
      Reflect.apply(toAny, undefined, [impressions(options)]) as FastifyPluginCallback,
    )
    app.get('/', async () => 'page')
    assert.equal((await app.inject('/')).body, 'page')
    await app.close()
    assert.deepEqual(readCodes(lines), ['no-response'])
    assert.match(lines[0] ?? '', /import impressions from 'ad-impressions\/fastify'/)
  })
})

/** Hides a type, as JavaScript does. */
const toAny = (value: unknown): unknown => value

describe("pageLoad() without Node's request and response", () => {
  it('is named once, and its helper counts nothing', () => {
    const { lines, options } = createOptions()
    const tracker = createTracker(options)
    const pageLoad = (...exchange: unknown[]) => Reflect.apply(tracker.pageLoad, tracker, exchange)
    for (const exchange of [[], [null, null], [{ headers: {} }], [{ req: {}, res: {} }]]) {
      const trackImpression = pageLoad(...exchange)
      assert.equal(trackImpression(ensAd()), '')
      assert.equal(trackImpression.script(), '')
      assert.equal(typeof trackImpression.requestId, 'string')
    }
    assert.deepEqual(readCodes(lines), ['no-response'])
    assert.equal(tracker.stats().ens?.tracked, 0)
  })
})

describe('the helper of a finished page', () => {
  /** A clock that a test can set forward. */
  function createClockAhead(): Clock & { aheadMs: number } {
    const clock = {
      ...systemClock,
      aheadMs: 0,
      now: () => systemClock.now() + clock.aheadMs,
    }
    return clock
  }

  it('is named if later pages call it, but not if its own page streams late', async () => {
    const clock = createClockAhead()
    let cached: ((input: ReturnType<typeof ensAd>) => string) | undefined
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        cached ??= trackImpression
        cached(ensAd())
        res.end()
      },
      {},
      { clock },
    )
    await fetchPage(site.url)
    cached?.(ensAd(2))
    await fetchPage(site.url)
    assert.deepEqual(site.lines, [])

    clock.aheadMs += 60_000
    await fetchPage(site.url)
    await fetchPage(site.url)
    assert.deepEqual(readCodes(site.lines), ['finished-page'])
  })
})

describe('a page with whenVisible()', () => {
  const startSite = (hasScript: boolean) =>
    VisibleSite.start({
      page({ res, trackImpression, answer }) {
        res.setHeader('content-type', 'text/html; charset=utf-8')
        const script = hasScript ? trackImpression.script() : ''
        answer(`<p ${trackImpression.whenVisible(ensAd())}>${script}`)
      },
    })

  it('is named once if it has no script()', async () => {
    await using site = await startSite(false)
    await site.request()
    await site.request()
    assert.deepEqual(readCodes(site.logLines), ['no-script'])
  })

  it('is fine with script(), and as a fragment', async () => {
    await using site = await startSite(true)
    await site.request()
    await using fragments = await startSite(false)
    await fragments.request('/', { 'hx-request': 'true' })
    assert.deepEqual([...site.logLines, ...fragments.logLines], [])
  })
})
