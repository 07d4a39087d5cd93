import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { readViewers } from '../../bench/viewers.js'
import { isBot, isSpeculative } from '../../lib/request/traffic.js'
import { hostileHeaders } from './hostile-headers.js'

const ANDROID = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Mobile Safari/537.36'

describe('speculative loads', () => {
  const speculative: [header: string, value: string][] = [
    ['sec-purpose', 'prefetch'],
    ['sec-purpose', 'prefetch;prerender'],
    ['sec-purpose', 'prefetch; prerender'],
    ['sec-purpose', 'prefetch;anonymous-client-ip'],
    ['sec-purpose', 'prefetch;prerender;preview'],
    ['purpose', 'prefetch'],
    ['purpose', 'Prefetch'],
    ['x-purpose', 'preview'],
    ['x-purpose', 'prefetch'],
    ['x-moz', 'prefetch'],
    ['x-sec-purpose', 'prefetch'],
    ['next-router-prefetch', '2'],
    ['next-router-segment-prefetch', '/_tree'],
    ['x-middleware-prefetch', '1'],
    ['hx-preloaded', 'true'],
  ]
  for (const [header, value] of speculative) {
    it(`are recognized by ${header}: ${value}`, () => {
      assert.equal(isSpeculative({ [header]: value }), true)
    })
  }

  it('do not include a page that the viewer requested', () => {
    const headers = { 'sec-fetch-dest': 'document', 'sec-fetch-user': '?1' }
    assert.equal(isSpeculative(headers), false)
  })

  it('are not recognized by other values', () => {
    for (const value of [
      '',
      'prefetched',
      'no-prefetch',
      'prefetch-not',
      'navigation',
      '\0prefetch',
    ])
      assert.equal(isSpeculative({ 'sec-purpose': value, purpose: value }), false, value)
  })

  it('are recognized or not, without throwing, whatever is sent', () => {
    const names = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']
    fc.assert(
      fc.property(hostileHeaders(names, ['prefetch', 'prefetch;prerender']), (headers) => {
        assert.equal(typeof isSpeculative(headers), 'boolean')
      }),
    )
  })
})

describe('bots', () => {
  const isBotWith = (userAgent: string) => isBot({ 'user-agent': userAgent })

  it('include none of 10,000 real viewers', () => {
    const misclassified = readViewers().filter(({ userAgent }) => isBotWith(userAgent))
    assert.deepEqual(misclassified, [])
  })

  it('include 99 % of the crawlers in crawler-user-agents', () => {
    const crawlers: { instances: string[] }[] = createRequire(import.meta.url)(
      'crawler-user-agents',
    )
    const userAgents = crawlers.flatMap(({ instances }) => instances)
    const recognized = userAgents.filter(isBotWith)
    assert.ok(
      recognized.length / userAgents.length >= 0.99,
      `${recognized.length} of ${userAgents.length}`,
    )
  })

  const bots = [
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${ANDROID} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
    `Mozilla/5.0 (Linux; Android 8.0; Pixel 2 Build/OPD3.170816.012; Storebot-Google/1.0) ${ANDROID}`,
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/154.0.0.0 Safari/537.36',
    'Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
    'curl/8.9.1',
    'python-requests/2.32.3',
  ]
  for (const userAgent of bots) {
    it(`are recognized by their name: ${userAgent.slice(0, 90)}`, () =>
      assert.equal(isBotWith(userAgent), true))
  }

  const people: [name: string, userAgent: string][] = [
    ['a phone called Discovery', `Mozilla/5.0 (Linux; Android 9; S60 Discovery Plus) ${ANDROID}`],
    ['a phone called M bot', `Mozilla/5.0 (Linux; Android 7.0; M bot 54) ${ANDROID}`],
    ['a phone called Spider', `Mozilla/5.0 (Linux; Android 13; Spider 8) ${ANDROID}`],
    [
      'a phone by CUBOT',
      `Mozilla/5.0 (Linux; Android 12; CUBOT KING KONG 8 Build/SP1A) ${ANDROID}`,
    ],
    [
      "Sogou's browser",
      `Mozilla/5.0 (Linux; Android 10; TLA001) ${ANDROID} SogouMSE,SogouMobileBrowser/5.31`,
    ],
    [
      'a TV with HbbTV',
      'Opera/9.80 (Linux armv6l; U; NETRANGEMMH;HbbTV/1.1.1;CE-HTML/1.0;IKEA LF1V358; en) Presto/2.10.250 Version/11.60',
    ],
    [
      "Facebook's app on a phone",
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/500.0.0.58.107;FBDV/iPhone15,2;FBSN/iOS;FBLC/de_DE]',
    ],
  ]
  for (const [name, userAgent] of people) {
    it(`do not include ${name}`, () => assert.equal(isBotWith(userAgent), false))
  }

  it('do not include clients without a User-Agent', () => {
    assert.equal(isBot({}), false)
    assert.equal(isBotWith(''), false)
  })

  it('are recognized at the start of a very long User-Agent', () => {
    assert.equal(isBotWith(`Googlebot/2.1 ${'x'.repeat(100_000)}`), true)
  })

  it('are recognized or not, without throwing, whatever is sent', () => {
    fc.assert(
      fc.property(hostileHeaders(['user-agent'], bots), (headers) => {
        assert.equal(typeof isBot(headers), 'boolean')
      }),
    )
  })
})
