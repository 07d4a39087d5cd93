import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import rTracer from 'cls-rtracer'
import express from 'express'
import requestID from 'express-request-id'
import fc from 'fast-check'
import type Koa from 'koa'
import koaRequestId from 'koa-requestid'
import { pinoHttp } from 'pino-http'
import { impressions } from '../../lib/express.js'
import { ens } from '../../lib/networks/ens.js'
import { createTracker } from '../../lib/tracker.js'
import {
  AdSite,
  FRAMEWORKS,
  type FrameworkRequest,
  NAVIGATION_HEADERS,
  renderAdsByPath,
  renderBothAds,
} from './ad-site.js'
import { RetryingProxy } from './retrying-proxy.js'

const ONE_VANISHED = ['ens delivered', 'ens duplicate']
const BOTH_COUNTED = ['ens delivered', 'ens delivered']

const silent = { level: 'silent' }

/** What a middleware before has left on Express's request. */
const idOf = (source: object) => Reflect.get(source, 'id')
/** What a middleware before has left in Koa's state. */
const stateIdOf = (source: object) => Reflect.get(Reflect.get(source, 'state'), 'id')

/** What becomes of two viewers' displays of one campaign, if both send the same thing. */
async function twoViewers(
  start: Parameters<typeof AdSite.start>[0],
  { path = '/1', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<{ told: readonly string[]; log: string[] }> {
  await using site = await AdSite.start({ page: renderAdsByPath, ...start })
  for (const _ of [1, 2]) await site.get(path, { ...NAVIGATION_HEADERS, ...headers })
  const told = [...(await site.waitForOutcomes(2))].sort()
  return { told, log: site.log.map(({ message }) => message) }
}

describe('request ids', () => {
  describe('by express-request-id', () => {
    const client = { headers: { 'x-request-id': 'chosen-by-a-client' } }
    const options = { requestId: idOf }

    it("are the client's to choose: displays vanish as duplicates", async () => {
      const express = (app: express.Express) => app.use(requestID())
      assert.deepEqual((await twoViewers({ express, options }, client)).told, ONE_VANISHED)
    })

    it("are safe once the client's header is dropped", async () => {
      const express = (app: express.Express) => {
        app.use((req, _res, next) => {
          delete req.headers['x-request-id']
          next()
        })
        app.use(requestID())
      }
      assert.deepEqual(await twoViewers({ express, options }, client), {
        told: BOTH_COUNTED,
        log: [],
      })
    })
  })

  describe('by pino-http', () => {
    it('count from 1 in each process', async () => {
      const program = `
        import { createServer } from 'node:http'
        import { pinoHttp } from 'pino-http'
        const log = pinoHttp({ level: 'silent' })
        const server = createServer((req, res) => {
          log(req, res)
          res.end(String(req.id))
        })
        server.listen(0, async () => {
          const answer = await fetch('http://localhost:' + server.address().port)
          console.log(await answer.text())
          process.exit()
        })`
      const cwd = fileURLToPath(new URL('../..', import.meta.url))
      const run = () =>
        promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd })
      const [one, other] = await Promise.all([run(), run()])
      assert.deepEqual([one.stdout, other.stdout], ['1\n', '1\n'])
    })

    it('count from 1 in each app: displays of the one vanish as duplicates of the other', async () => {
      await using site = await AdSite.start()
      const { apiKey, baseUrl } = site.sandbox.ens
      await using tracker = createTracker({
        networks: [ens({ apiKey, baseUrl })],
        requestId: (req) => String(idOf(req)),
      })
      const outcomes: string[] = []
      tracker.on('outcome', ({ outcome }) => outcomes.push(outcome))
      for (const _ of ['one app', 'another']) {
        const app = express()
        app.use(pinoHttp(silent), impressions({ tracker }))
        app.use((_req, res) => {
          res.locals.trackImpression({ campaignId: 1, placement: 'here' })
          res.send('page')
        })
        const server = app.listen(0)
        const address = server.address()
        assert.ok(typeof address === 'object' && address !== null)
        await fetch(`http://127.0.0.1:${address.port}`, { headers: NAVIGATION_HEADERS })
        server.closeAllConnections()
        server.close()
      }
      await tracker.flush()
      assert.deepEqual(outcomes.sort(), ['delivered', 'duplicate'])
    })

    it('are numbers, which are refused and told', async () => {
      const express = (app: express.Express) => app.use(pinoHttp(silent))
      const { told, log } = await twoViewers({ express, options: { requestId: idOf } })
      assert.deepEqual(told, BOTH_COUNTED)
      assert.match(log.join(), /requestId: expected 1 to 200 visible ASCII characters/)
    })

    it('are safe once they are random', async () => {
      const express = (app: express.Express) =>
        app.use(pinoHttp({ ...silent, genReqId: () => randomUUID() }))
      const { told, log } = await twoViewers(
        { express, options: { requestId: idOf } },
        { headers: { 'x-request-id': 'chosen-by-a-client' } },
      )
      assert.deepEqual([told, log], [BOTH_COUNTED, []])
    })
  })

  describe('by koa-requestid', () => {
    const koa = { framework: 'Koa 3', options: { requestId: stateIdOf } } as const
    const byHeader = { headers: { 'request-id': 'chosen-by-a-client' } }
    const byQuery = { path: '/1?requestId=chosen-by-a-client' }

    it("are the client's to choose, by a header or in the address: displays vanish as duplicates", async () => {
      for (const client of [byHeader, byQuery]) {
        const { told } = await twoViewers({ ...koa, koa: (app) => app.use(koaRequestId()) }, client)
        assert.deepEqual(told.slice(0, 2), ONE_VANISHED)
      }
    })

    it('are safe once neither header nor query is read', async () => {
      const safe = { ...koa, koa: usesKoa(koaRequestId({ header: false, query: false })) }
      for (const client of [byHeader, byQuery]) {
        assert.deepEqual(await twoViewers(safe, client), { told: BOTH_COUNTED, log: [] })
      }
    })
  })

  for (const framework of FRAMEWORKS) {
    describe(`by cls-rtracer, with ${framework}`, () => {
      const client = { headers: { 'x-request-id': 'chosen-by-a-client' } }
      const options = { requestId: () => String(rTracer.id()) }
      const tracing = (how: { useHeader: boolean }) => ({
        framework,
        options,
        express: (app: express.Express) => app.use(rTracer.expressMiddleware(how)),
        // Its types take Koa's request for Node's.
        koa: usesKoa((...call) => Reflect.apply(rTracer.koaMiddleware(how), undefined, call)),
      })

      it('are safe as they come', async () => {
        const { told, log } = await twoViewers(tracing({ useHeader: false }), client)
        assert.deepEqual([told, log], [BOTH_COUNTED, []])
      })

      it("are the client's to choose with useHeader: displays vanish as duplicates", async () => {
        const { told } = await twoViewers(tracing({ useHeader: true }), client)
        assert.deepEqual(told, ONE_VANISHED)
      })
    })

    describe(`of a proxy that retries, with ${framework}`, () => {
      const requestId = (source: FrameworkRequest) => String(source.get('x-request-id'))

      it('count once what was answered and never arrived', async () => {
        let attempts = 0
        await using site = await AdSite.start({
          framework,
          options: { requestId },
          page: (visit) => {
            attempts += 1
            renderBothAds(visit)
            if (attempts > 1) return 'page'
            visit.res.destroy()
            return undefined
          },
        })
        await using proxy = await RetryingProxy.start(site.port)
        assert.equal(await proxy.get('/', NAVIGATION_HEADERS), 'page')
        assert.equal(attempts, 2)
        const told = [...(await site.waitForOutcomes(4))].sort()
        // Closient's leave with the response: those of the first attempt never did.
        assert.deepEqual(told.slice(0, 2), ['closient aborted', 'closient delivered'])
        assert.deepEqual(told.slice(2), ['ens delivered', 'ens duplicate'])
      })

      it("are the proxy's own, whatever the client sends", async () => {
        await using site = await AdSite.start({
          framework,
          options: { requestId },
          page: renderAdsByPath,
        })
        await using proxy = await RetryingProxy.start(site.port)
        for (const _ of [1, 2]) {
          await proxy.get('/1', { ...NAVIGATION_HEADERS, 'x-request-id': 'chosen-by-a-client' })
        }
        assert.deepEqual(await site.waitForOutcomes(2), BOTH_COUNTED)
      })
    })

    describe(`that are hostile, with ${framework}`, () => {
      it('are replaced by a fresh one each, and told', async () => {
        const hostile: unknown[] = [
          '',
          ' ',
          'two words',
          'x'.repeat(201),
          'x'.repeat(100_000),
          'line\nbreak',
          '\0',
          'é',
          '💥',
          7,
          Number.NaN,
          null,
          undefined,
          ['one'],
          { toString: () => 'one' },
          Symbol('one'),
          Promise.resolve('one'),
        ]
        for (const id of hostile) {
          const { told, log } = await twoViewers({
            framework,
            options: { requestId: () => id as string },
          })
          assert.deepEqual([told, log.length], [BOTH_COUNTED, 1])
          assert.match(log[0] ?? '', /option requestId/)
        }
      })

      it('are replaced where the function throws, and that is told', async () => {
        const { told, log } = await twoViewers({
          framework,
          options: {
            requestId: () => {
              throw new Error('no context')
            },
          },
        })
        assert.deepEqual(told, BOTH_COUNTED)
        assert.deepEqual(log, ['ad-impressions: the option requestId threw: no context'])
      })

      it('are taken up to 200 visible ASCII characters, be they names that every object has', async () => {
        for (const id of ['x', 'x'.repeat(200), '__proto__', 'constructor', '!~"\'<%;,=']) {
          const { told, log } = await twoViewers({ framework, options: { requestId: () => id } })
          assert.deepEqual([told, log], [ONE_VANISHED, []])
        }
      })
    })
  }

  it('are used or replaced, and nothing throws, whatever they are', async () => {
    let id: unknown
    await using site = await AdSite.start({
      options: { requestId: () => id as string },
      page: ({ track }) => track.requestId,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.anything(), fc.string({ unit: 'binary' }), fc.string({ maxLength: 300 })),
        async (hostile) => {
          id = hostile
          const { status, body } = await site.get('/')
          assert.equal(status, 200)
          assert.match(body, /^[\x21-\x7e]{1,200}$/)
          const fits = typeof hostile === 'string' && /^[\x21-\x7e]{1,200}$/.test(hostile)
          assert.equal(body === hostile, fits)
        },
      ),
    )
  })
})

function usesKoa(middleware: Koa.Middleware) {
  return (app: Koa) => {
    app.use(middleware)
  }
}
