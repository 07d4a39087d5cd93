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
import { withoutAddress } from '../docs-address.js'
import {
  AdSite,
  FRAMEWORKS,
  type FrameworkRequest,
  NAVIGATION_HEADERS,
  renderAdsByPath,
  renderBothAds,
} from './ad-site.js'
import { RetryingProxy } from './retrying-proxy.js'

const ONE_LOST = ['ens delivered', 'ens duplicate']
const BOTH_COUNTED = ['ens delivered', 'ens delivered']

const SILENT = { level: 'silent' }

/** The id that an earlier middleware has set on Express's request. */
const readId = (source: object) => Reflect.get(source, 'id')
/** The id that an earlier middleware has set in Koa's state. */
const readStateId = (source: object) => Reflect.get(Reflect.get(source, 'state'), 'id')

/** The outcomes for two viewers of one campaign who send the same request. */
async function trackForTwoViewers(
  settings: Parameters<typeof AdSite.start>[0],
  { path = '/1', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<{ outcomes: readonly string[]; log: string[] }> {
  await using site = await AdSite.start({ page: renderAdsByPath, ...settings })
  for (const _ of [1, 2]) await site.get(path, { ...NAVIGATION_HEADERS, ...headers })
  const outcomes = [...(await site.waitForOutcomes(2))].sort()
  return { outcomes, log: site.log.map(({ message }) => message) }
}

describe('request ids', () => {
  describe('by express-request-id', () => {
    const client = { headers: { 'x-request-id': 'chosen-by-a-client' } }
    const options = { requestId: readId }

    it('can be chosen by the client: a display is lost as a duplicate', async () => {
      const express = (app: express.Express) => app.use(requestID())
      assert.deepEqual((await trackForTwoViewers({ express, options }, client)).outcomes, ONE_LOST)
    })

    it("are safe if the client's header is removed", async () => {
      const express = (app: express.Express) => {
        app.use((req, _res, next) => {
          delete req.headers['x-request-id']
          next()
        })
        app.use(requestID())
      }
      assert.deepEqual(await trackForTwoViewers({ express, options }, client), {
        outcomes: BOTH_COUNTED,
        log: [],
      })
    })
  })

  describe('by pino-http', () => {
    it('restart from 1 in each process', async () => {
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

    it('restart from 1 in each app: a display of one is lost as a duplicate of the other', async () => {
      await using site = await AdSite.start()
      const { apiKey, baseUrl } = site.sandbox.ens
      await using tracker = createTracker({
        networks: [ens({ apiKey, baseUrl })],
        requestId: (req) => String(readId(req)),
      })
      const outcomes: string[] = []
      tracker.on('outcome', ({ outcome }) => outcomes.push(outcome))
      for (const _ of ['one app', 'another']) {
        const app = express()
        app.use(pinoHttp(SILENT), impressions({ tracker }))
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

    it('are numbers, which are ignored with a warning', async () => {
      const express = (app: express.Express) => app.use(pinoHttp(SILENT))
      const { outcomes, log } = await trackForTwoViewers({
        express,
        options: { requestId: readId },
      })
      assert.deepEqual(outcomes, BOTH_COUNTED)
      assert.match(log.join(), /requestId: expected 1 to 200 visible ASCII characters/)
    })

    it('are safe if they are random', async () => {
      const express = (app: express.Express) =>
        app.use(pinoHttp({ ...SILENT, genReqId: () => randomUUID() }))
      const { outcomes, log } = await trackForTwoViewers(
        { express, options: { requestId: readId } },
        { headers: { 'x-request-id': 'chosen-by-a-client' } },
      )
      assert.deepEqual([outcomes, log], [BOTH_COUNTED, []])
    })
  })

  describe('by koa-requestid', () => {
    const koa = { framework: 'Koa 3', options: { requestId: readStateId } } as const
    const byHeader = { headers: { 'request-id': 'chosen-by-a-client' } }
    const byQuery = { path: '/1?requestId=chosen-by-a-client' }

    it('can be chosen by the client, by header or query: a display is lost as a duplicate', async () => {
      for (const client of [byHeader, byQuery]) {
        const { outcomes } = await trackForTwoViewers(
          { ...koa, koa: (app) => app.use(koaRequestId()) },
          client,
        )
        assert.deepEqual(outcomes.slice(0, 2), ONE_LOST)
      }
    })

    it('are safe if neither header nor query is read', async () => {
      const safe = { ...koa, koa: useInKoa(koaRequestId({ header: false, query: false })) }
      for (const client of [byHeader, byQuery]) {
        assert.deepEqual(await trackForTwoViewers(safe, client), {
          outcomes: BOTH_COUNTED,
          log: [],
        })
      }
    })
  })

  for (const framework of FRAMEWORKS) {
    describe(`by cls-rtracer, with ${framework}`, () => {
      const client = { headers: { 'x-request-id': 'chosen-by-a-client' } }
      const options = { requestId: () => String(rTracer.id()) }
      const createSettings = (tracerOptions: { useHeader: boolean }) => ({
        framework,
        options,
        express: (app: express.Express) => app.use(rTracer.expressMiddleware(tracerOptions)),
        // Its types are wrong: they declare Node's request instead of Koa's context.
        koa: useInKoa((...call) =>
          Reflect.apply(rTracer.koaMiddleware(tracerOptions), undefined, call),
        ),
      })

      it('are safe by default', async () => {
        const { outcomes, log } = await trackForTwoViewers(
          createSettings({ useHeader: false }),
          client,
        )
        assert.deepEqual([outcomes, log], [BOTH_COUNTED, []])
      })

      it('can be chosen by the client with useHeader: a display is lost as a duplicate', async () => {
        const { outcomes } = await trackForTwoViewers(createSettings({ useHeader: true }), client)
        assert.deepEqual(outcomes, ONE_LOST)
      })
    })

    describe(`from a proxy that retries, with ${framework}`, () => {
      const requestId = (source: FrameworkRequest) => String(source.get('x-request-id'))

      it('count an impression once if the first response is lost', async () => {
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
        const outcomes = [...(await site.waitForOutcomes(4))].sort()
        // Closient's impressions are sent when the response finishes. The first one never did.
        assert.deepEqual(outcomes.slice(0, 2), ['closient aborted', 'closient delivered'])
        assert.deepEqual(outcomes.slice(2), ['ens delivered', 'ens duplicate'])
      })

      it("are the proxy's, whatever the client sends", async () => {
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
      it('are each replaced by a random one, with a warning', async () => {
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
          const { outcomes, log } = await trackForTwoViewers({
            framework,
            options: { requestId: () => id as string },
          })
          assert.deepEqual([outcomes, log.length], [BOTH_COUNTED, 1])
          assert.match(log[0] ?? '', /option requestId/)
        }
      })

      it('are replaced if the function throws, with an error in the log', async () => {
        const { outcomes, log } = await trackForTwoViewers({
          framework,
          options: {
            requestId: () => {
              throw new Error('no context')
            },
          },
        })
        assert.deepEqual(outcomes, BOTH_COUNTED)
        assert.deepEqual(log.map(withoutAddress), [
          'ad-impressions: the option requestId threw: no context',
        ])
      })

      it('are used up to 200 visible ASCII characters, also if they are names that every object has', async () => {
        for (const id of ['x', 'x'.repeat(200), '__proto__', 'constructor', '!~"\'<%;,=']) {
          const { outcomes, log } = await trackForTwoViewers({
            framework,
            options: { requestId: () => id },
          })
          assert.deepEqual([outcomes, log], [ONE_LOST, []])
        }
      })
    })
  }

  it('are used or replaced, without throwing, whatever they are', async () => {
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
          const isValid = typeof hostile === 'string' && /^[\x21-\x7e]{1,200}$/.test(hostile)
          assert.equal(body === hostile, isValid)
        },
      ),
    )
  })
})

function useInKoa(middleware: Koa.Middleware) {
  return (app: Koa) => {
    app.use(middleware)
  }
}
