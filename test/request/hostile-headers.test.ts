import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { CDNS } from '../../lib/viewer/country.js'
import { CDN_HEADERS } from '../viewer/cdn-headers.js'
import { AdSite, CHROME_USER_AGENT, FRAMEWORKS } from './ad-site.js'

/** Every header that is read. */
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

/** Sends a request byte by byte as it is given. @returns the answer's status line */
async function send(port: number, lines: readonly string[]): Promise<string> {
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
    let sent = 0

    beforeEach(() => {
      sent = 0
    })
    afterEach(() => site[Symbol.asyncDispose]())

    async function answers(lines: readonly string[]): Promise<void> {
      assert.equal(await send(site.port, lines), 'HTTP/1.1 200 OK')
      sent += 2
      await site.waitForOutcomes(sent)
      const { ens, closient, unknown } = site.tracker.stats()
      for (const network of [ens, closient]) assert.equal(network?.tracked, sent / 2)
      assert.equal(unknown?.tracked, 0)
    }

    for (const cdn of CDNS) {
      it(`of 100 kB cost no page, with the country by ${cdn}`, async () => {
        site = await AdSite.start({
          framework,
          maxHeaderSize: 4_000_000,
          options: { ...OPTIONS, country: cdn },
        })
        const long = (name: string) => `${name}: ${`${CHROME_USER_AGENT}; a="US",`.repeat(1_000)}`
        await answers([`User-Agent: ${CHROME_USER_AGENT}`, ...HEADERS.map(long).slice(1)])
        await answers([long('User-Agent'), long(CDN_HEADERS[cdn][0])])
        assert.ok(site.outcomes.every(({ outcome }) => outcome === 'delivered'))
        for (const { location } of site.sandbox.ens.impressions as { location?: string }[]) {
          assert.equal(location, undefined)
        }
      })
    }

    it('of control characters, quotes and non-ASCII cost no page', async () => {
      site = await AdSite.start({ framework, options: OPTIONS })
      // The parser itself refuses NUL, CR and LF, and what else is a control character but TAB.
      for (const value of [
        '\t',
        '\x80\x9f\xff',
        'é"\'`<>\\',
        '%00%0d%0a',
        '\u00a0',
        ';;,,==',
        '',
      ]) {
        await answers(HEADERS.map((name) => `${name}: a${value}b`))
        await answers(HEADERS.map((name) => `${name}:${value}`))
      }
    })

    it('that the parser refuses never reach a page', async () => {
      site = await AdSite.start({ framework, options: OPTIONS })
      for (const character of ['\0', '\x01', '\x7f', '\n']) {
        const status = await send(site.port, [`User-Agent: a${character}b`])
        assert.match(status, /^HTTP\/1.1 400 /)
      }
      assert.equal(site.tracker.stats().ens?.tracked, 0)
    })

    it('that are repeated cost no page', async () => {
      site = await AdSite.start({ framework, options: OPTIONS })
      const twice = HEADERS.flatMap((name) => [`${name}: ?1`, `${name}: ?0`])
      await answers(twice)
      await answers(HEADERS.flatMap((name) => Array(20).fill(`${name}: a`)))
    })
  })
}
