import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { readPageLoadCookie, setPageLoadCookie } from '../../lib/request/page-load-cookie.js'
import {
  AdSite,
  BARE_NAVIGATION_HEADERS,
  FRAGMENT_HEADERS,
  FRAMEWORKS,
  type FrameworkRequest,
  NAVIGATION_HEADERS,
  renderAdsByPath,
  toCookieHeader,
} from './ad-site.js'
import { hostileHeaders } from './hostile-headers.js'

const NAME = 'ad-page-load'
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const OPTIONS = { pageLoadCookie: true } as const

for (const framework of FRAMEWORKS) {
  describe(`the page-load cookie, with ${framework}`, () => {
    const start = (settings: Parameters<typeof AdSite.start>[0] = {}) =>
      AdSite.start({
        framework,
        page: renderAdsByPath,
        ...settings,
        options: { ...OPTIONS, ...settings.options },
      })

    describe('of a navigation that tracks something', () => {
      it('is random, a session cookie, HttpOnly and SameSite=Lax', async () => {
        await using site = await start()
        const { headers } = await site.get('/1', NAVIGATION_HEADERS)
        const pattern = `^${NAME}=${UUID}\\.[\\w-]{8}; Path=/; HttpOnly; SameSite=Lax$`
        assert.equal(headers['set-cookie']?.length, 1)
        assert.match(headers['set-cookie'][0] ?? '', new RegExp(pattern))
      })

      it('is different for each page load', async () => {
        await using site = await start()
        const cookies = await Promise.all(
          Array.from({ length: 20 }, async () =>
            toCookieHeader(await site.get('/1', NAVIGATION_HEADERS)),
          ),
        )
        assert.equal(new Set(cookies).size, 20)
      })

      it('has the name that the option sets', async () => {
        await using site = await start({ options: { pageLoadCookie: 'pl' } })
        assert.match(toCookieHeader(await site.get('/1', NAVIGATION_HEADERS)) ?? '', /^pl=/)
      })

      it('is not set if the option is off', async () => {
        await using site = await start({ options: { pageLoadCookie: false } })
        assert.equal(toCookieHeader(await site.get('/1', NAVIGATION_HEADERS)), undefined)
      })
    })

    describe('is not set', () => {
      const requests: [name: string, path: string, headers: Record<string, string>][] = [
        ['by a page without ads', '/', NAVIGATION_HEADERS],
        ['for a bot', '/1', { ...NAVIGATION_HEADERS, 'user-agent': 'Googlebot/2.1' }],
        ['for a prefetch', '/1', { ...NAVIGATION_HEADERS, 'sec-purpose': 'prefetch' }],
        ['without consent', '/1', { ...NAVIGATION_HEADERS, 'sec-gpc': '1' }],
        ['by a page whose ads are all invalid', '/0', NAVIGATION_HEADERS],
        ['by a fragment', '/1', FRAGMENT_HEADERS],
        ['by an iframe', '/1', { ...NAVIGATION_HEADERS, 'sec-fetch-dest': 'iframe' }],
        [
          'by a fragment of htmx over http',
          '/1',
          { ...BARE_NAVIGATION_HEADERS, 'hx-request': 'true' },
        ],
      ]
      for (const [name, path, headers] of requests) {
        it(name, async () => {
          await using site = await start({
            options: { consent: (source: FrameworkRequest) => source.get('sec-gpc') !== '1' },
          })
          const response = await site.get(path, headers)
          assert.equal(response.headers['set-cookie'], undefined)
          assert.equal(response.headers['cache-control'], undefined)
        })
      }

      for (const status of [302, 500]) {
        it(`with status ${status}, even if it is set after tracking`, async () => {
          await using site = await start({
            page: (visit) => {
              renderAdsByPath(visit)
              visit.res.statusCode = status
              visit.res.end()
              return undefined
            },
          })
          const response = await site.get('/1', NAVIGATION_HEADERS)
          assert.deepEqual([response.status, response.headers['set-cookie']], [status, undefined])
        })
      }

      it('after the head was sent, but the impression still counts', async () => {
        await using site = await start({
          page: (visit) => {
            visit.res.write('<head>')
            renderAdsByPath(visit)
            visit.res.end()
            return undefined
          },
        })
        const { headers, body } = await site.get('/1', NAVIGATION_HEADERS)
        assert.deepEqual([headers['set-cookie'], body], [undefined, '<head>'])
        assert.deepEqual(await site.waitForOutcomes(1), ['ens delivered'])
      })
    })

    describe('with an invalid value', () => {
      const id = randomUUID()
      const entry = `${id}.AAAAAAAA`
      const invalid: [name: string, cookie: string][] = [
        ['empty', `${NAME}=`],
        ['without an id', `${NAME}=hello`],
        ['with only an id', `${NAME}=${id}`],
        ['with a UUID of another version', `${NAME}=${id.replace(/^(.{14})4/, '$11')}.AAAAAAAA`],
        ['in capitals', `${NAME}=${entry.toUpperCase()}`],
        ['with trailing characters', `${NAME}=${entry}x`],
        ['partly invalid', `${NAME}=${entry}~x`],
        ['with too many pages', `${NAME}=${Array(6).fill(entry).join('~')}`],
        ['in an oversized header', `${NAME}=${entry}; x=${'x'.repeat(17_000)}`],
        ['as long as a request allows', `${NAME}=${entry.repeat(2_000)}`],
        ['non-ASCII', `${NAME}=ï${entry}`],
      ]
      for (const [name, cookie] of invalid) {
        it(`is ignored: ${name}`, async () => {
          await using site = await start({ maxHeaderSize: 200_000 })
          for (const _ of [1, 2]) {
            assert.equal((await site.get('/1', { ...FRAGMENT_HEADERS, cookie })).status, 200)
          }
          assert.deepEqual(await site.waitForOutcomes(2), ['ens delivered', 'ens delivered'])
          assert.ok(site.outcomes.every(({ requestId }) => requestId !== id))
        })
      }

      it('does not hide the page of another cookie of that name', async () => {
        await using site = await start()
        const own = toCookieHeader(await site.get('/1', NAVIGATION_HEADERS)) ?? ''
        const other = `${NAME}=${randomUUID()}.AAAAAAAA`
        for (const cookie of [`${other}; ${own}`, `${own}; ${other}`, `${NAME}=x; ${own}`]) {
          await site.get('/1', { ...FRAGMENT_HEADERS, cookie })
        }
        assert.deepEqual((await site.waitForOutcomes(4)).toSorted(), [
          'ens delivered',
          'ens duplicate',
          'ens duplicate',
          'ens duplicate',
        ])
      })

      it('of several that this process does not know, the first counts', async () => {
        await using site = await start()
        const cookie = `${NAME}=${entry}; ${NAME}=${randomUUID()}.BBBBBBBB`
        for (const _ of [1, 2]) await site.get('/1', { ...FRAGMENT_HEADERS, cookie })
        await site.waitForOutcomes(2)
        assert.deepEqual([...new Set(site.outcomes.map(({ requestId }) => requestId))], [id])
      })

      it('evicts no page, however many ids are invented', async () => {
        await using site = await start({ options: { dedupe: { max: 3 } } })
        const own = toCookieHeader(await site.get('/1', NAVIGATION_HEADERS)) ?? ''
        for (let i = 0; i < 10; i += 1) {
          const cookie = `${NAME}=${randomUUID()}.AAAAAAAA`
          await site.get('/2', { ...FRAGMENT_HEADERS, cookie })
        }
        await site.get('/1', { ...FRAGMENT_HEADERS, cookie: own })
        await site.waitForOutcomes(12)
        assert.equal(site.outcomes.at(-1)?.outcome, 'duplicate')
      })

      it('is used once it is valid', async () => {
        await using site = await start()
        const cookie = `theme=dark; ${NAME}=${entry}; session=1`
        for (const _ of [1, 2]) await site.get('/1', { ...FRAGMENT_HEADERS, cookie })
        assert.deepEqual((await site.waitForOutcomes(2)).toSorted(), [
          'ens delivered',
          'ens duplicate',
        ])
        assert.deepEqual([...new Set(site.outcomes.map(({ requestId }) => requestId))], [id])
      })
    })
  })
}

describe('the page-load cookie over https', () => {
  const id = randomUUID()
  const entry = `${id}.AAAAAAAA`

  /** @param secure what the framework's request says */
  function read(option: true | string, cookie: string, secure: boolean): string | undefined {
    const req = Object.assign(new IncomingMessage(new Socket()), { headers: { cookie } })
    return readPageLoadCookie(option, req, { protocol: secure ? 'https' : 'http' }, () => false)
  }

  it('has a name that only the host itself can set', () => {
    assert.equal(read(true, `__Host-${NAME}=${entry}`, true), id)
    assert.equal(read(true, `${NAME}=${entry}`, true), undefined)
    assert.equal(read(true, `__Host-${NAME}=${entry}`, false), undefined)
  })

  it('has the name that the option sets, as it is', () => {
    assert.equal(read('pl', `pl=${entry}`, true), id)
    assert.equal(read(NAME, `${NAME}=${entry}`, true), id)
  })

  for (const [option, secure, expected] of [
    [true, true, /^__Host-ad-page-load=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
    [true, false, /^ad-page-load=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/],
    ['pl', true, /^pl=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
    // Browsers accept this name only with `Secure`.
    ['__Host-pl', false, /^__Host-pl=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
  ] as const) {
    it(`is set with the option ${option}, ${secure ? 'over https' : 'over http'}`, () => {
      const req = new IncomingMessage(new Socket())
      const res = new ServerResponse(req)
      setPageLoadCookie(option, id, req, res, { protocol: secure ? 'https' : 'http' }, () => false)
      res.writeHead(200)
      assert.match(String(res.getHeader('set-cookie')), expected)
    })
  }
})

describe('readPageLoadCookie', () => {
  it('returns a UUID or undefined, without throwing, whatever is sent', () => {
    const entry = `${randomUUID()}.AbCd-_12`
    const values = [`${NAME}=${entry}`, `${NAME}=${entry}~${entry}`, `${NAME}=`, NAME, '; ', '%']
    const names = ['cookie', 'referer', 'hx-current-url']
    fc.assert(
      fc.property(hostileHeaders(names, values), ({ cookie, ...headers }) => {
        // Node joins repeated cookies.
        const joined = Array.isArray(cookie)
          ? { cookie: cookie.join('; ') }
          : { ...(cookie && { cookie }) }
        const req = Object.assign(new IncomingMessage(new Socket()), {
          headers: { ...headers, ...joined },
        })
        const id = readPageLoadCookie(NAME, req, req, () => false)
        assert.ok(id === undefined || new RegExp(`^${UUID}$`).test(id))
      }),
    )
  })
})
