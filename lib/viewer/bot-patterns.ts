import { createIsbotFromList, list } from 'isbot'

/** What we change about isbot's list, and where it was seen. */
interface Exception {
  /** As a regular expression. Case does not matter. */
  readonly pattern: string
  readonly source: string
}

/** Programs that say who they are, and that isbot's patterns do not match. */
export const ADDED_BOTS: readonly Exception[] = [
  { pattern: ';onetrust;', source: 'https://github.com/omrilotan/isbot/issues/289' },
  // Office, before it opens a link in the browser. Outlook, which shows mails, has a longer comment.
  {
    pattern: '^mozilla/4\\.0 \\(compatible; ms-office; msoffice',
    source: 'https://github.com/ua-parser/uap-core/issues/405',
  },
  { pattern: '\\bgtmetrix', source: 'https://gtmetrix.com/faq.html' },
  { pattern: '\\bjsdom/', source: 'https://github.com/jsdom/jsdom#advanced-configuration' },
  { pattern: '\\bnodeping', source: 'https://nodeping.com/faq.html' },
  { pattern: '^devin/', source: 'https://docs.devin.ai' },
  {
    pattern: 'powershell/\\d',
    source:
      'https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/invoke-webrequest',
  },
  { pattern: '^dart/\\d', source: 'https://api.dart.dev/dart-io/HttpClient/userAgent.html' },
]

/**
 * Parts of browsers' User-Agents that a pattern of isbot matches. They are removed before the
 * patterns are applied, so that no pattern need be left out: a bot that has such a part is still
 * recognized by the rest of its name.
 */
export const BROWSER_PARTS: readonly Exception[] = [
  // Facebook's apps: the User-Agent is this bracket alone, a long word if the carrier is one word.
  {
    pattern: '^\\[FB(?:AN|_IAB)/[^\\]]*\\]',
    source: 'https://github.com/omrilotan/isbot/issues/314',
  },
  // Alipay's browser has bars in it: AlipayDefined(nt:4G,ws:360|0|3.0).
  { pattern: 'AlipayDefined\\([^)]*\\)', source: 'https://opendocs.alipay.com/open/02b0yw' },
  // Sogou's browser for Android. Sogou's crawler has other names.
  {
    pattern: 'Sogou(?:MSE|MobileBrowser)\\b',
    source: 'https://github.com/matomo-org/device-detector',
  },
  // Televisions by HbbTV's standard, and Vewd's (Opera TV).
  {
    pattern: '\\bCE-HTML/1\\.0;',
    source: 'https://www.hbbtv.org/resource-library/specifications/',
  },
  {
    pattern: '\\bOMI/[\\d.]{1,20}Catcher\\d',
    source: 'https://github.com/matomo-org/device-detector',
  },
]

/** The apps whose web views name them, in the engine's comment or after it. */
const WEB_VIEW = /; wv\)|\bMobile\/\w|\bMobile Safari\//

/** The name of a news or mail app (SmartNews/8.1, Feedly, NAVER Mail), unless it says bot or the like. */
const READER_APP =
  / (?!\S{0,40}(?:bot|crawl|spider|fetch))[\w.]{0,30}(?:news|mail|feed|read)[\w.]{0,30}(?:\/[\w.]{1,20})?(?=[ ;,)]|$)/gi

// The model name in an Android browser's first comment: phones are called Discovery, Spider and M
// bot. A bot that imitates a phone names itself later.
const ANDROID_MODEL =
  /(Android[^;()]*; ?(?:[a-z]{2}[-_][A-Za-z]{2}; ?)?)[^;()/]*?(?= Build\/|[;()/]|$)/

const browserParts = new RegExp(BROWSER_PARTS.map(({ pattern }) => pattern).join('|'), 'gi')

const matchesPattern = createIsbotFromList([...list, ...ADDED_BOTS.map(({ pattern }) => pattern)])

/** Whether a User-Agent is that of a known bot. Its length must be bounded. */
export function matchesBotPattern(userAgent: string): boolean {
  const rest = userAgent.replace(ANDROID_MODEL, '$1').replace(browserParts, '')
  return matchesPattern(WEB_VIEW.test(userAgent) ? rest.replace(READER_APP, '') : rest)
}
