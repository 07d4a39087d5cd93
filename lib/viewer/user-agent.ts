import { createIsbotFromList, list } from 'isbot'
import { LRUCache } from 'lru-cache'
import { UAParser } from 'ua-parser-js'

/**
 * What a User-Agent says of the thing behind it. `'other'` is a device that is none of the three
 * an ad network knows (a TV, a console, a car, a watch); `'unknown'` is no device at all.
 */
export type UserAgentDevice = 'mobile' | 'desktop' | 'tablet' | 'other' | 'unknown'

export interface UserAgent {
  readonly device: UserAgentDevice
  readonly bot: boolean
}

/**
 * Characters of a User-Agent that are looked at: every expression below runs on no more than
 * these. The longest of 10,000 real ones has 268.
 */
export const MAX_USER_AGENT_LENGTH = 512

/**
 * Characters that the device is read from. The parser's time grows with the square of these
 * (`droid droid …`); what follows them names apps, screens and languages.
 */
export const MAX_DEVICE_LENGTH = 256

/** User agents remembered: a day's sample of 10,000 page views holds some 950 different ones. */
export const MAX_USER_AGENTS = 2_000

const NOTHING: UserAgent = Object.freeze({ device: 'unknown', bot: false })

/** What was read before, by the whole User-Agent. */
export const seenUserAgents = new LRUCache<string, UserAgent>({ max: MAX_USER_AGENTS })

/**
 * Reads a User-Agent (RFC 9110, section 10.1.5), from memory where it was seen before.
 *
 * Never throws. One longer than `MAX_USER_AGENT_LENGTH` is read that far and not remembered: V8
 * keeps the whole of a string alive for as long as a slice of it.
 */
export function readUserAgent(value: string | undefined): UserAgent {
  if (value === undefined || value === '') return NOTHING
  if (value.length > MAX_USER_AGENT_LENGTH) return parse(value.slice(0, MAX_USER_AGENT_LENGTH))
  let userAgent = seenUserAgents.get(value)
  if (userAgent === undefined) {
    userAgent = parse(value)
    seenUserAgents.set(value, userAgent)
  }
  return userAgent
}

function parse(value: string): UserAgent {
  return {
    device: parseDevice(value.slice(0, MAX_DEVICE_LENGTH)),
    bot: isRobot(value.replace(ANDROID_MODEL, '$1')),
  }
}

// Marks of televisions whose maker's name alone leads the parser to say phone or nothing.
const TELEVISION = /(?:^|[^A-Za-z])TV|TV(?:[^A-Za-z]|$)|Web0S|CE-HTML|OMI\//

// The systems whose browsers the parser leaves without a type, because they are computers.
const COMPUTER = /Windows NT|Macintosh|X11|Wayland|CrOS/

function parseDevice(value: string): UserAgentDevice {
  const { type } = new UAParser(value).getDevice()
  if (type !== undefined && type !== 'mobile' && type !== 'tablet') return 'other'

  const mobile = value.includes('Mobile')
  // A phone may well be named after TV; it says Mobile too.
  if (!mobile && TELEVISION.test(value)) return 'other'

  if (value.includes('Android')) {
    // Google's own rule for Android: phones say Mobile, tablets do not. The parser goes by the
    // maker where it does not know the model, and most makers of tablets make phones.
    if (mobile) return type ?? 'mobile'
    if (value.includes('Chrome/')) return 'tablet'
    if (type !== undefined) return type
    return /AppleWebKit|Gecko\//.test(value) ? 'tablet' : 'unknown'
  }
  if (type !== undefined) return type
  // There is no Samsung Internet for Linux: it is what a Galaxy Tab says of itself from the
  // factory, and a phone when asked for the desktop site.
  if (value.includes('X11') && value.includes('SamsungBrowser/')) return 'tablet'
  return COMPUTER.test(value) ? 'desktop' : 'unknown'
}

/**
 * Patterns of isbot that are not asked, since they match what people browse with and hardly a
 * robot that no other pattern would match: televisions (`CE-HTML/1.0;`, `OMI/4.21 Catcher4`) and
 * the Sogou browser of Android (`SogouMobileBrowser`). Sogou's spider is known by other words.
 */
export const UNASKED_BOT_PATTERNS: readonly string[] = ['\\b\\w+/1\\.0;', 'catch', 'sogou']

const isRobot = createIsbotFromList(list.filter((item) => !UNASKED_BOT_PATTERNS.includes(item)))

// The model's name in an Android browser's first comment. Phones are called Discovery, Spider and
// M bot; a robot that poses as a phone gives its own name after it.
const ANDROID_MODEL =
  /(Android[^;()]*; ?(?:[a-z]{2}[-_][A-Za-z]{2}; ?)?)[^;()/]*?(?= Build\/|[;()/]|$)/
