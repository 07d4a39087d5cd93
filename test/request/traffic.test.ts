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
  ]
  for (const [header, value] of speculative) {
    it(`are told by ${header}: ${value}`, () => {
      assert.equal(isSpeculative({ [header]: value }), true)
    })
  }

  it('are not what a page is that someone asked for', () => {
    const headers = { 'sec-fetch-dest': 'document', 'sec-fetch-user': '?1' }
    assert.equal(isSpeculative(headers), false)
  })

  it('are not told by other words', () => {
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

  it('are told yes or no, and nothing throws, whatever is sent', () => {
    const names = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']
    fc.assert(
      fc.property(hostileHeaders(names, ['prefetch', 'prefetch;prerender']), (headers) => {
        assert.equal(typeof isSpeculative(headers), 'boolean')
      }),
    )
  })
})

describe('robots', () => {
  const bot = (userAgent: string) => isBot({ 'user-agent': userAgent })

  it('are none of 10,000 real viewers', () => {
    const taken = readViewers().filter(({ userAgent }) => bot(userAgent))
    assert.deepEqual(taken, [])
  })

  it('are 99 in 100 of the crawlers that the world has listed', () => {
    const crawlers: { instances: string[] }[] = createRequire(import.meta.url)(
      'crawler-user-agents',
    )
    const userAgents = crawlers.flatMap(({ instances }) => instances)
    const known = userAgents.filter(bot)
    assert.ok(known.length / userAgents.length >= 0.99, `${known.length} of ${userAgents.length}`)
  })

  const robots = [
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
  for (const userAgent of robots) {
    it(`are told by their name: ${userAgent.slice(0, 90)}`, () =>
      assert.equal(bot(userAgent), true))
  }

  const people: [who: string, userAgent: string][] = [
    ['a phone called Discovery', `Mozilla/5.0 (Linux; Android 9; S60 Discovery Plus) ${ANDROID}`],
    ['a phone called M bot', `Mozilla/5.0 (Linux; Android 7.0; M bot 54) ${ANDROID}`],
    ['a phone called Spider', `Mozilla/5.0 (Linux; Android 13; Spider 8) ${ANDROID}`],
    [
      'a phone of CUBOT',
      `Mozilla/5.0 (Linux; Android 12; CUBOT KING KONG 8 Build/SP1A) ${ANDROID}`,
    ],
    [
      'the browser of Sogou',
      `Mozilla/5.0 (Linux; Android 10; TLA001) ${ANDROID} SogouMSE,SogouMobileBrowser/5.31`,
    ],
    [
      'a TV by HbbTV',
      'Opera/9.80 (Linux armv6l; U; NETRANGEMMH;HbbTV/1.1.1;CE-HTML/1.0;IKEA LF1V358; en) Presto/2.10.250 Version/11.60',
    ],
    [
      'a phone in the app of Facebook',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/500.0.0.58.107;FBDV/iPhone15,2;FBSN/iOS;FBLC/de_DE]',
    ],
  ]
  for (const [who, userAgent] of people) {
    it(`are not ${who}`, () => assert.equal(bot(userAgent), false))
  }

  it('are not those who send no User-Agent', () => {
    assert.equal(isBot({}), false)
    assert.equal(bot(''), false)
  })

  it('are known at the start of an endless User-Agent', () => {
    assert.equal(bot(`Googlebot/2.1 ${'x'.repeat(100_000)}`), true)
  })

  it('are told yes or no, and nothing throws, whatever is sent', () => {
    fc.assert(
      fc.property(hostileHeaders(['user-agent'], robots), (headers) => {
        assert.equal(typeof isBot(headers), 'boolean')
      }),
    )
  })
})
