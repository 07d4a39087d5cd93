import assert from 'node:assert/strict'
import { list } from 'isbot'
import { readViewers } from '../../bench/viewers.js'
import { ADDED_BOTS, BROWSER_PARTS, matchesBotPattern } from '../../lib/viewer/bot-patterns.js'

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0'
const WEB_VIEW = `Mozilla/5.0 (Linux; Android 15; SM-A356B Build/AP3A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/154.0.0.0 Mobile Safari/537.36`
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148'

describe('a person in an app', () => {
  for (const userAgent of [
    `[FBAN/FB4A;FBAV/490.0;FBCR/T-Mobile;FBDV/Pixel;FBSV/15;FBCA/arm64-v8a:;]`,
    `[FB_IAB/FB4A;FBAV/490.0.0.63.82;FBCR/Vodafone;FBDV/SM-S928B;FBSV/15;FBOP/1;FBCA/arm64-v8a:;]`,
    `${WEB_VIEW} AlipayDefined(nt:WIFI,ws:412|732|2.6) AliApp(AP/10.6.80) AlipayClient/10.6.80`,
    `${WEB_VIEW} SmartNews/25.1.0`,
    `${WEB_VIEW} NewsBreak/24.30.1`,
    `${WEB_VIEW} NAVERMail/4.2`,
    `${IPHONE} Feedly/92.0`,
    `${IPHONE} BBCNews/9.1`,
    `${IPHONE} YahooMail/7.2`,
    `${WEB_VIEW} SogouMSE,SogouMobileBrowser/5.40`,
  ]) {
    it(`is no bot: ${userAgent.slice(-60)}`, () => {
      assert.equal(matchesBotPattern(userAgent), false)
    })
  }
})

describe('a program that says who it is', () => {
  for (const userAgent of [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36;OneTrust;`,
    'Mozilla/4.0 (compatible; ms-office; MSOffice 15)',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36 GTmetrix`,
    'Mozilla/5.0 (darwin) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/22.1.0',
    'NodePing',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Catchpoint`,
    'Mozilla/5.0 (Windows NT; Windows NT 6.3; en-US) WindowsPowerShell/4.0',
    'Dart/2.19 (dart:io)',
    'Devin/2.0',
    `${WEB_VIEW} (compatible; NewsBot/1.0)`,
    `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${CHROME} Mobile Safari/537.36 (compatible; Googlebot-News)`,
    'Sogou News Spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)',
  ]) {
    it(`is a bot: ${userAgent.slice(-60)}`, () => {
      assert.equal(matchesBotPattern(userAgent), true)
    })
  }
})

describe('Outlook, which shows a mail', () => {
  it('is no bot, although it names Office', () => {
    const userAgent =
      'Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; Microsoft Outlook 16.0.17928; ms-office; MSOffice 16)'
    assert.equal(matchesBotPattern(userAgent), false)
  })
})

describe('the lists of bots', () => {
  it('match none of 10,000 real viewers', () => {
    const matched = readViewers().filter(({ userAgent }) => matchesBotPattern(userAgent))
    assert.deepEqual(matched, [])
  })

  it('name a source for each row', () => {
    for (const { source } of [...ADDED_BOTS, ...BROWSER_PARTS]) {
      assert.equal(new URL(source).protocol, 'https:')
    }
  })

  it('add only patterns that isbot does not have', () => {
    for (const { pattern } of ADDED_BOTS) assert(!list.includes(pattern), pattern)
  })

  it('take little time for hostile input', () => {
    for (const part of ['news', 'Mobile/1 a', '[FBAN/', 'AlipayDefined(', 'Android; ', 'OMI/1.']) {
      const start = process.cpuUsage()
      for (let n = 0; n < 100; n += 1) matchesBotPattern(part.repeat(512).slice(0, 512))
      const { user } = process.cpuUsage(start)
      assert(user < 2_000_000, `${part}: ${user} µs for 100`)
    }
  })
})
