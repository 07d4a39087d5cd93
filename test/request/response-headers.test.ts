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

const OURS = /^ad-page-load=/

/** The names of the cookies that an answer sets, in any order. */
function namesOf({ headers }: PageResponse): string[] {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split('=', 1)[0] ?? '').sort()
}

/** Does something to the response before and after the ads are tracked. */
const around =
  (before: (res: Parameters<SitePage>[0]['res']) => void, after = before): SitePage =>
  (visit) => {
    before(visit.res)
    renderAdsByPath(visit)
    after(visit.res)
    return visit.res.writableEnded ? undefined : 'page'
  }

const nothing = () => {}

for (const framework of FRAMEWORKS) {
  describe(`the headers of a page that leaves the page-load cookie, with ${framework}`, () => {
    const start = (page: SitePage, more: Parameters<typeof AdSite.start>[0] = {}) =>
      AdSite.start({ framework, page, ...more, options: { pageLoadCookie: true } })

    describe('keep the cookies of others', () => {
      const ways: [how: string, page: SitePage, names: string[]][] = [
        ['set before', around((res) => res.setHeader('Set-Cookie', 'a=1'), nothing), ['a']],
        [
          'set before as a list',
          around((res) => res.setHeader('Set-Cookie', ['a=1', 'b=2']), nothing),
          ['a', 'b'],
        ],
        ['set after', around(nothing, (res) => res.setHeader('Set-Cookie', 'a=1')), ['a']],
        [
          'set after as a list',
          around(nothing, (res) => res.setHeader('set-cookie', ['a=1', 'b=2'])),
          ['a', 'b'],
        ],
        ['appended after', around((res) => res.appendHeader('Set-Cookie', 'a=1')), ['a', 'a']],
        [
          'given to writeHead',
          around(nothing, (res) => res.writeHead(200, { 'Set-Cookie': 'a=1' }).end('page')),
          ['a'],
        ],
        [
          'given to writeHead behind a reason',
          around(nothing, (res) =>
            res.writeHead(200, 'Fine', { 'Set-Cookie': ['a=1', 'b=2'] }).end('page'),
          ),
          ['a', 'b'],
        ],
        [
          'set before a writeHead that is given none',
          around(
            (res) => res.setHeader('Set-Cookie', 'a=1'),
            (res) => Reflect.apply(res.writeHead, res, ['200', null]).end('page'),
          ),
          ['a'],
        ],
        [
          'given to writeHead as a list',
          around(nothing, (res) =>
            res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-A', '1']).end('page'),
          ),
          ['a', 'b'],
        ],
      ]
      for (const [how, page, names] of ways) {
        it(how, async () => {
          await using site = await start(page)
          assert.deepEqual(
            namesOf(await site.get('/1', NAVIGATION_HEADERS)),
            ['ad-page-load', ...names].sort(),
          )
        })
      }

      it("set by the framework's own means, before and after", async () => {
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
        const names = namesOf(await site.get('/1', NAVIGATION_HEADERS))
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
        it(`where the page says ${given ?? 'nothing'}: ${sent}`, async () => {
          const say: Parameters<typeof around>[0] = (res) => {
            if (given !== undefined) res.setHeader('Cache-Control', given)
          }
          for (const page of [around(say, nothing), around(nothing, say)]) {
            await using site = await start(page)
            const { headers } = await site.get('/1', NAVIGATION_HEADERS)
            assert.equal(headers['cache-control'], sent)
            assert.deepEqual(site.log, [])
          }
        })
      }

      it('where the page says it in writeHead', async () => {
        await using site = await start(
          around(nothing, (res) => res.writeHead(200, { 'cache-control': 'public' }).end('page')),
        )
        assert.equal((await site.get('/1', NAVIGATION_HEADERS)).headers['cache-control'], 'private')
      })

      it('and stay as they are where no cookie is left', async () => {
        await using site = await start(around((res) => res.setHeader('Cache-Control', 'public')))
        for (const [path, headers] of [
          ['/', NAVIGATION_HEADERS] as const,
          ['/1', FRAGMENT_HEADERS] as const,
        ]) {
          assert.equal((await site.get(path, headers)).headers['cache-control'], 'public')
        }
      })
    })

    describe('make the cookie Secure', () => {
      const proxied = { ...NAVIGATION_HEADERS, 'x-forwarded-proto': 'https' }

      it('behind a proxy that is trusted and says https', async () => {
        await using site = await start(renderAdsByPath, {
          express: (app) => app.set('trust proxy', true),
          koa: (app) => {
            app.proxy = true
          },
        })
        assert.match((await site.get('/1', proxied)).headers['set-cookie']?.[0] ?? '', /; Secure/)
        const overHttp = await site.get('/1', NAVIGATION_HEADERS)
        assert.doesNotMatch(overHttp.headers['set-cookie']?.[0] ?? '', /; Secure/)
      })

      it('and not where nobody has to be believed', async () => {
        await using site = await start(renderAdsByPath)
        const { headers } = await site.get('/1', proxied)
        assert.match(headers['set-cookie']?.[0] ?? '', OURS)
        assert.doesNotMatch(headers['set-cookie']?.[0] ?? '', /; Secure/)
      })
    })

    describe('of a page in shared caches', () => {
      const startShared = (page: SitePage) => AdSite.start({ framework, page })
      const shared = ['public', 'public, max-age=60', 'max-age=0, s-maxage=60', 'S-MAXAGE = 60']
      const ways: [when: string, page: (value: string) => SitePage][] = [
        ['before', (value) => around((res) => res.setHeader('Cache-Control', value), nothing)],
        ['after', (value) => around(nothing, (res) => res.setHeader('Cache-Control', value))],
        [
          'with writeHead, after',
          (value) => around(nothing, (res) => res.writeHead(200, { 'Cache-Control': value }).end()),
        ],
        [
          'with writeHead and another header before it, after',
          (value) =>
            around(nothing, (res) => {
              res.setHeader('X-Page', '1')
              res.writeHead(200, { 'Cache-Control': value }).end()
            }),
        ],
      ]
      for (const [when, page] of ways) {
        it(`are warned about once, said ${when} tracking`, async () => {
          for (const value of shared) {
            await using site = await startShared(page(value))
            for (const path of ['/1', '/2/3']) await site.get(path, NAVIGATION_HEADERS)
            await site.waitForOutcomes(3)
            assert.equal(site.log.length, 1, value)
            assert.match(site.log[0]?.message ?? '', /Cache-Control: public/)
            assert.equal(site.log[0]?.level, 'warn')
          }
        })
      }

      it('are not warned about where the page tracks nothing, or is not shared', async () => {
        for (const value of ['private', 'no-store', 'max-age=60', 'publicity', 'x-public']) {
          await using site = await startShared(
            around((res) => res.setHeader('Cache-Control', value)),
          )
          await site.get('/1', NAVIGATION_HEADERS)
          assert.deepEqual(site.log, [], value)
        }
        await using site = await startShared(
          around((res) => res.setHeader('Cache-Control', 'public')),
        )
        await site.get('/', NAVIGATION_HEADERS)
        assert.deepEqual(site.log, [])
      })
    })
  })
}

describe('the page-load cookie over TLS, on a bare server', () => {
  // A key that both sides know, instead of a certificate.
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
    const sent = request({
      ...tls,
      port: address.port,
      headers: NAVIGATION_HEADERS,
      agent: new Agent({
        ...tls,
        pskCallback: () => ({ psk, identity: 'browser' }),
        checkServerIdentity: () => undefined,
      }),
    })
    sent.end()
    const [answer]: IncomingMessage[] = await once(sent, 'response')
    answer?.resume()
    assert.match(answer?.headers['set-cookie']?.[0] ?? '', /; Secure/)
    server.closeAllConnections()
    server.close()
  })
})
