import { createIsbotFromList, list } from 'isbot'
import { LRUCache } from 'lru-cache'
import { UAParser } from 'ua-parser-js'

/**
 * The device that a User-Agent names. `'other'` is a device that ENS has no value for (a TV, a
 * console, a car, a watch); `'unknown'` means that no device was recognized.
 */
export type UserAgentDevice = 'mobile' | 'desktop' | 'tablet' | 'other' | 'unknown'

export interface UserAgent {
  readonly device: UserAgentDevice
  readonly isBot: boolean
}

/**
 * The part of a User-Agent that is read, in characters. It bounds the input of every expression
 * below; real User-Agents are shorter.
 */
export const MAX_USER_AGENT_LENGTH = 512

/**
 * The part that the device is read from, in characters. The parser's running time is quadratic for
 * some inputs (`droid droid …`). What follows this part names apps, screens and languages.
 */
export const MAX_DEVICE_LENGTH = 256

/** How many User-Agents are remembered: more than a busy site sees in a day. */
export const MAX_USER_AGENTS = 2_000

const UNKNOWN_USER_AGENT: UserAgent = Object.freeze({ device: 'unknown', isBot: false })

/** Results by the complete User-Agent. */
export const userAgentCache = new LRUCache<string, UserAgent>({ max: MAX_USER_AGENTS })

/**
 * Reads a User-Agent (RFC 9110, section 10.1.5), from the cache if possible. Never throws.
 *
 * One longer than `MAX_USER_AGENT_LENGTH` is cut and not cached: in V8 a slice keeps the whole
 * string alive.
 */
export function readUserAgent(value: string | undefined): UserAgent {
  if (value === undefined || value === '') return UNKNOWN_USER_AGENT
  if (value.length > MAX_USER_AGENT_LENGTH) {
    return parseUserAgent(value.slice(0, MAX_USER_AGENT_LENGTH))
  }
  let userAgent = userAgentCache.get(value)
  if (userAgent === undefined) {
    userAgent = parseUserAgent(value)
    userAgentCache.set(value, userAgent)
  }
  return userAgent
}

function parseUserAgent(value: string): UserAgent {
  return {
    device: parseDevice(value.slice(0, MAX_DEVICE_LENGTH)),
    isBot: matchesBotPattern(value.replace(ANDROID_MODEL, '$1')),
  }
}

/** The parser's device type; `undefined` if it recognizes none. */
type ParsedType = 'mobile' | 'tablet' | undefined

// Televisions that the parser takes for phones, or does not recognize, because of their maker's name.
const TELEVISION = /(?:^|[^A-Za-z])TV|TV(?:[^A-Za-z]|$)|Web0S|CE-HTML|OMI\//

// The parser gives computers no type.
const COMPUTER = /Windows NT|Macintosh|X11|Wayland|CrOS/

function parseDevice(value: string): UserAgentDevice {
  const { type } = new UAParser(value).getDevice()
  if (type !== undefined && type !== 'mobile' && type !== 'tablet') return 'other'
  if (isTelevision(value)) return 'other'
  if (value.includes('Android')) return parseAndroidDevice(value, type)
  return type ?? parseUntypedDevice(value)
}

function isTelevision(value: string): boolean {
  // A phone's model may contain "TV", but a phone also says Mobile.
  return !value.includes('Mobile') && TELEVISION.test(value)
}

/**
 * Google's rule for Android: phones say Mobile, tablets do not. If the parser does not know the
 * model, it goes by the maker, and most makers of tablets also make phones.
 */
function parseAndroidDevice(value: string, type: ParsedType): UserAgentDevice {
  if (value.includes('Mobile')) return type ?? 'mobile'
  if (value.includes('Chrome/')) return 'tablet'
  if (type !== undefined) return type
  return /AppleWebKit|Gecko\//.test(value) ? 'tablet' : 'unknown'
}

function parseUntypedDevice(value: string): UserAgentDevice {
  // Samsung Internet does not exist for Linux. A Galaxy Tab sends this by default, and a phone sends
  // it when the viewer requests the desktop site.
  if (value.includes('X11') && value.includes('SamsungBrowser/')) return 'tablet'
  return COMPUTER.test(value) ? 'desktop' : 'unknown'
}

/**
 * Patterns of isbot that are not used, because they match browsers and hardly any bot that no other
 * pattern matches: televisions (`CE-HTML/1.0;`, `OMI/4.21 Catcher4`) and Sogou's browser for Android
 * (`SogouMobileBrowser`). Other patterns match Sogou's spider.
 */
export const EXCLUDED_BOT_PATTERNS: readonly string[] = ['\\b\\w+/1\\.0;', 'catch', 'sogou']

const matchesBotPattern = createIsbotFromList(
  list.filter((pattern) => !EXCLUDED_BOT_PATTERNS.includes(pattern)),
)

// The model name in an Android browser's first comment. It is removed before bots are detected:
// phones are called Discovery, Spider and M bot. A bot that imitates a phone names itself later.
const ANDROID_MODEL =
  /(Android[^;()]*; ?(?:[a-z]{2}[-_][A-Za-z]{2}; ?)?)[^;()/]*?(?= Build\/|[;()/]|$)/
