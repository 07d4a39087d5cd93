import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { CDNS } from '../../lib/viewer/country.js'
import { CDN_HEADERS } from '../viewer/cdn-headers.js'
import { AdSite, CHROME_USER_AGENT, FRAMEWORKS } from './ad-site.js'

/** Every header that the middleware reads. */
const HEADERS = [
  'User-Agent',
  'Sec-CH-UA-Form-Factors',
  'Sec-CH-UA-Mobile',
  'Sec-CH-UA-Platform',
  'Sec-Purpose',
  'Purpose',
  'X-Purpose',
  'X-Moz',
  'Sec-Fetch-Mode',
  'Sec-Fetch-Dest',
  'HX-Request',
  'HX-Boosted',
  'HX-History-Restore-Request',
  'HX-Current-URL',
  'X-Requested-With',
  'Accept',
  'Referer',
  'Cookie',
  'X-Request-Id',
  ...CDNS.map((cdn) => CDN_HEADERS[cdn][0]),
]

const OPTIONS = {
  pageLoadCookie: true,
  requestId: (source: { get(name: string): unknown }) => source.get('x-request-id') as string,
} as const

/** Sends a request with these raw header lines. Returns the status line of the response. */
async function sendRaw(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    Buffer.from(
      ['GET / HTTP/1.1', 'Host: site', 'Connection: close', ...lines, '', ''].join('\r\n'),
      'latin1',
    ),
  )
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    received += chunk
  })
  await once(socket, 'close')
  return received.split('\r\n', 1)[0] ?? ''
}

for (const framework of FRAMEWORKS) {
  describe(`hostile headers over a socket, with ${framework}`, () => {
    let site: AdSite
    let tracked = 0

    beforeEach(() => {
      tracked = 0
    })
    afterEach(() => site[Symbol.asyncDispose]())

    async function assertPageCounts(lines: readonly string[]): Promise<void> {
      assert.equal(await sendRaw(site.port, lines), 'HTTP/1.1 200 OK')
      tracked += 2
      await site.waitForOutcomes(tracked)
      const { ens, closient, unknown } = site.tracker.stats()
      for (const network of [ens, closient]) assert.equal(network?.tracked, tracked / 2)
      assert.equal(unknown?.tracked, 0)
    }

    for (const cdn of CDNS) {
      it(`of 100 kB break no page, with the country from ${cdn}`, async () => {
        site = await AdSite.start({
          framework,
          maxHeaderSize: 4_000_000,
          options: { ...OPTIONS, country: cdn },
        })
        const makeLong = (name: string) =>
          `${name}: ${`${CHROME_USER_AGENT}; a="US",`.repeat(1_000)}`
        await assertPageCounts([
          `User-Agent: ${CHROME_USER_AGENT}`,
          ...HEADERS.map(makeLong).slice(1),
        ])
        await assertPageCounts([makeLong('User-Agent'), makeLong(CDN_HEADERS[cdn][0])])
        assert.ok(site.outcomes.every(({ outcome }) => outcome === 'delivered'))
        for (const { location } of site.sandbox.ens.impressions as { location?: string }[]) {
          assert.equal(location, undefined)
        }
      })
    }

    it('with control characters, quotes and non-ASCII break no page', async () => {
      site = await AdSite.start({ framework, options: OPTIONS })
      // Node's parser rejects NUL, CR, LF and every other control character except TAB.
      for (const value of [
        '\t',
        '\x80\x9f\xff',
        'é"\'`<>\\',
        '%00%0d%0a',
        '\u00a0',
        ';;,,==',
        '',
      ]) {
        await assertPageCounts(HEADERS.map((name) => `${name}: a${value}b`))
        await assertPageCounts(HEADERS.map((name) => `${name}:${value}`))
      }
    })

    it("that Node's parser rejects never reach a page", async () => {
      site = await AdSite.start({ framework, options: OPTIONS })
      for (const character of ['\0', '\x01', '\x7f', '\n']) {
        const status = await sendRaw(site.port, [`User-Agent: a${character}b`])
        assert.match(status, /^HTTP\/1.1 400 /)
      }
      assert.equal(site.tracker.stats().ens?.tracked, 0)
    })

    it('that are repeated break no page', async () => {
      site = await AdSite.start({ framework, options: OPTIONS })
      const repeated = HEADERS.flatMap((name) => [`${name}: ?1`, `${name}: ?0`])
      await assertPageCounts(repeated)
      await assertPageCounts(HEADERS.flatMap((name) => Array(20).fill(`${name}: a`)))
    })
  })
}
