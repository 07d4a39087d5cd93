import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, createServer, request } from 'node:https'
import cookieSession from 'cookie-session'
import type { NextFunction, Request, Response } from 'express'
import { ens } from '../../lib/networks/ens.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { createTracker } from '../../lib/tracker.js'
import {
  AdSite,
  FRAGMENT_HEADERS,
  FRAMEWORKS,
  NAVIGATION_HEADERS,
  type PageResponse,
  renderAdsByPath,
  type SitePage,
} from './ad-site.js'

const PAGE_LOAD_COOKIE = /^ad-page-load=/

/** The names of the cookies that a response sets, sorted. */
function listCookieNames({ headers }: PageResponse): string[] {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split('=', 1)[0] ?? '').sort()
}

/** Changes the response before and after the ads are tracked. */
const changeAround =
  (before: (res: Parameters<SitePage>[0]['res']) => void, after = before): SitePage =>
  (visit) => {
    before(visit.res)
    renderAdsByPath(visit)
    after(visit.res)
    return visit.res.writableEnded ? undefined : 'page'
  }

const changeNothing = () => {}

for (const framework of FRAMEWORKS) {
  describe(`the headers of a page that sets the page-load cookie, with ${framework}`, () => {
    const start = (page: SitePage, more: Parameters<typeof AdSite.start>[0] = {}) =>
      AdSite.start({ framework, page, ...more, options: { pageLoadCookie: true } })

    describe('keep other cookies', () => {
      const pages: [how: string, page: SitePage, names: string[]][] = [
        [
          'set before',
          changeAround((res) => res.setHeader('Set-Cookie', 'a=1'), changeNothing),
          ['a'],
        ],
        [
          'set before as a list',
          changeAround((res) => res.setHeader('Set-Cookie', ['a=1', 'b=2']), changeNothing),
          ['a', 'b'],
        ],
        [
          'set after',
          changeAround(changeNothing, (res) => res.setHeader('Set-Cookie', 'a=1')),
          ['a'],
        ],
        [
          'set after as a list',
          changeAround(changeNothing, (res) => res.setHeader('set-cookie', ['a=1', 'b=2'])),
          ['a', 'b'],
        ],
        [
          'appended after',
          changeAround((res) => res.appendHeader('Set-Cookie', 'a=1')),
          ['a', 'a'],
        ],
        [
          'passed to writeHead',
          changeAround(changeNothing, (res) =>
            res.writeHead(200, { 'Set-Cookie': 'a=1' }).end('page'),
          ),
          ['a'],
        ],
        [
          'passed to writeHead after a reason phrase',
          changeAround(changeNothing, (res) =>
            res.writeHead(200, 'Fine', { 'Set-Cookie': ['a=1', 'b=2'] }).end('page'),
          ),
          ['a', 'b'],
        ],
        [
          'set before a writeHead without cookies',
          changeAround(
            (res) => res.setHeader('Set-Cookie', 'a=1'),
            (res) => Reflect.apply(res.writeHead, res, ['200', null]).end('page'),
          ),
          ['a'],
        ],
        [
          'passed to writeHead as a list',
          changeAround(changeNothing, (res) =>
            res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-A', '1']).end('page'),
          ),
          ['a', 'b'],
        ],
      ]
      for (const [how, page, names] of pages) {
        it(how, async () => {
          await using site = await start(page)
          assert.deepEqual(
            listCookieNames(await site.get('/1', NAVIGATION_HEADERS)),
            ['ad-page-load', ...names].sort(),
          )
        })
      }

      it("set by the framework's own API, before and after", async () => {
        await using site = await start(renderAdsByPath, {
          express: (app) => {
            app.use(
              cookieSession({ signed: false }),
              (req: Request, res: Response, next: NextFunction) => {
                Object.assign(req, { session: { visits: 1 } })
                res.cookie('before', '1')
                next()
              },
            )
          },
          koa: (app) => {
            app.use(async (ctx, next) => {
              ctx.cookies.set('before', '1')
              await next()
              ctx.cookies.set('session', '1')
            })
          },
        })
        const names = listCookieNames(await site.get('/1', NAVIGATION_HEADERS))
        assert.deepEqual(names, ['ad-page-load', 'before', 'session'])
      })
    })

    describe('are private to the browser', () => {
      const values: [given: string | undefined, sent: string][] = [
        [undefined, 'private'],
        ['public', 'private'],
        ['public, max-age=60', 'private, max-age=60'],
        ['max-age=60, s-maxage=600', 'private, max-age=60'],
        ['Public,S-MaxAge = 600,Must-Revalidate', 'private, Must-Revalidate'],
        ['max-age=60', 'private, max-age=60'],
        ['no-cache', 'private, no-cache'],
        ['no-store', 'no-store'],
        ['private', 'private'],
        ['private, max-age=60', 'private, max-age=60'],
        ['public, private', 'private'],
        ['', 'private'],
      ]
      for (const [given, sent] of values) {
        it(`with Cache-Control ${given ?? 'not set'}: ${sent}`, async () => {
          const setCacheControl: Parameters<typeof changeAround>[0] = (res) => {
            if (given !== undefined) res.setHeader('Cache-Control', given)
          }
          for (const page of [
            changeAround(setCacheControl, changeNothing),
            changeAround(changeNothing, setCacheControl),
          ]) {
            await using site = await start(page)
            const { headers } = await site.get('/1', NAVIGATION_HEADERS)
            assert.equal(headers['cache-control'], sent)
            assert.deepEqual(site.log, [])
          }
        })
      }

      it('with Cache-Control passed to writeHead', async () => {
        await using site = await start(
          changeAround(changeNothing, (res) =>
            res.writeHead(200, { 'cache-control': 'public' }).end('page'),
          ),
        )
        assert.equal((await site.get('/1', NAVIGATION_HEADERS)).headers['cache-control'], 'private')
      })

      it('only if the cookie is set', async () => {
        await using site = await start(
          changeAround((res) => res.setHeader('Cache-Control', 'public')),
        )
        for (const [path, headers] of [
          ['/', NAVIGATION_HEADERS] as const,
          ['/1', FRAGMENT_HEADERS] as const,
        ]) {
          assert.equal((await site.get(path, headers)).headers['cache-control'], 'public')
        }
      })
    })

    describe('make the cookie Secure', () => {
      const overHttps = { ...NAVIGATION_HEADERS, 'x-forwarded-proto': 'https' }

      it('behind a trusted proxy that reports https', async () => {
        await using site = await start(renderAdsByPath, {
          express: (app) => app.set('trust proxy', true),
          koa: (app) => {
            app.proxy = true
          },
        })
        assert.match((await site.get('/1', overHttps)).headers['set-cookie']?.[0] ?? '', /; Secure/)
        const overHttp = await site.get('/1', NAVIGATION_HEADERS)
        assert.doesNotMatch(overHttp.headers['set-cookie']?.[0] ?? '', /; Secure/)
      })

      it('but not behind an untrusted proxy', async () => {
        await using site = await start(renderAdsByPath)
        const { headers } = await site.get('/1', overHttps)
        assert.match(headers['set-cookie']?.[0] ?? '', PAGE_LOAD_COOKIE)
        assert.doesNotMatch(headers['set-cookie']?.[0] ?? '', /; Secure/)
      })
    })

    describe('that allow shared caches', () => {
      const startShared = (page: SitePage) => AdSite.start({ framework, page })
      const sharedValues = [
        'public',
        'public, max-age=60',
        'max-age=0, s-maxage=60',
        'S-MAXAGE = 60',
      ]
      const pages: [when: string, page: (value: string) => SitePage][] = [
        [
          'before',
          (value) => changeAround((res) => res.setHeader('Cache-Control', value), changeNothing),
        ],
        [
          'after',
          (value) => changeAround(changeNothing, (res) => res.setHeader('Cache-Control', value)),
        ],
        [
          'passed to writeHead after',
          (value) =>
            changeAround(changeNothing, (res) =>
              res.writeHead(200, { 'Cache-Control': value }).end(),
            ),
        ],
        [
          'passed to writeHead, with another header set, after',
          (value) =>
            changeAround(changeNothing, (res) => {
              res.setHeader('X-Page', '1')
              res.writeHead(200, { 'Cache-Control': value }).end()
            }),
        ],
      ]
      for (const [when, page] of pages) {
        it(`cause one warning when set ${when} tracking`, async () => {
          for (const value of sharedValues) {
            await using site = await startShared(page(value))
            for (const path of ['/1', '/2/3']) await site.get(path, NAVIGATION_HEADERS)
            await site.waitForOutcomes(3)
            assert.equal(site.log.length, 1, value)
            assert.match(site.log[0]?.message ?? '', /Cache-Control: public/)
            assert.equal(site.log[0]?.level, 'warn')
          }
        })
      }

      it('cause no warning if the page tracks nothing, or is not shared', async () => {
        for (const value of ['private', 'no-store', 'max-age=60', 'publicity', 'x-public']) {
          await using site = await startShared(
            changeAround((res) => res.setHeader('Cache-Control', value)),
          )
          await site.get('/1', NAVIGATION_HEADERS)
          assert.deepEqual(site.log, [], value)
        }
        await using site = await startShared(
          changeAround((res) => res.setHeader('Cache-Control', 'public')),
        )
        await site.get('/', NAVIGATION_HEADERS)
        assert.deepEqual(site.log, [])
      })
    })
  })
}

describe('the page-load cookie over TLS, with node:http', () => {
  // A pre-shared key, so that no certificate is needed.
  const psk = Buffer.from('0123456789abcdef')
  const tls = { ciphers: 'PSK+HIGH', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

  it('is Secure', async () => {
    await using sandbox = await startSandbox()
    const { apiKey, baseUrl } = sandbox.ens
    await using tracker = createTracker({
      networks: [ens({ apiKey, baseUrl })],
      pageLoadCookie: true,
    })
    const server = createServer({ ...tls, pskCallback: () => psk }, (req, res) => {
      tracker.pageLoad(req, res)({ campaignId: 1, placement: 'here' })
      res.end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const clientRequest = request({
      ...tls,
      port: address.port,
      headers: NAVIGATION_HEADERS,
      agent: new Agent({
        ...tls,
        pskCallback: () => ({ psk, identity: 'browser' }),
        checkServerIdentity: () => undefined,
      }),
    })
    clientRequest.end()
    const [response]: IncomingMessage[] = await once(clientRequest, 'response')
    response?.resume()
    assert.match(response?.headers['set-cookie']?.[0] ?? '', /; Secure/)
    server.closeAllConnections()
    server.close()
  })
})
