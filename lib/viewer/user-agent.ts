import { LRUCache } from 'lru-cache'
import { UAParser } from 'ua-parser-js'
import { matchesBotPattern } from './bot-patterns.js'

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
    isBot: matchesBotPattern(value),
  }
}

/** The parser's device type; `undefined` if it recognizes none. */
type ParsedType = 'mobile' | 'tablet' | undefined

// Televisions that the parser takes for phones, or does not recognize, because of their maker's name.
const TELEVISION = /(?:^|[^A-Za-z])TV|TV(?:[^A-Za-z]|$)|Web0S|CE-HTML|OMI\//

// The parser gives computers no type.
const COMPUTER = /Windows NT|Macintosh|X11|Wayland|CrOS/

/**
 * Browsers that exist only on tablets and phones, although they name a computer when the viewer
 * requests desktop sites, which is an iPad's and a Fire tablet's default. Chrome, Firefox, Edge,
 * Opera and the Google app for iOS; Silk (https://developer.amazon.com/docs/silk); and Samsung
 * Internet, which does not exist for Linux.
 */
const TABLET_BROWSER = /\b(?:CriOS|FxiOS|EdgiOS|OPiOS|OPT|GSA|Silk)\/\d|X11.*\bSamsungBrowser\//

/** Browsers for phones that name the phone badly or not at all, and a few for the iPad. */
const PHONE_BROWSER = /\bOpera (?:Mini|Mobi)\/|\bUCWEB\/|\bMIDP\b/

function parseDevice(value: string): UserAgentDevice {
  if (PHONE_BROWSER.test(value)) return value.includes('iPad') ? 'tablet' : 'mobile'
  const { type } = new UAParser(value).getDevice()
  if (type !== undefined && type !== 'mobile' && type !== 'tablet') return 'other'
  if (isTelevision(value, type)) return 'other'
  if (value.includes('Android')) return parseAndroidDevice(value, type)
  return type ?? parseUntypedDevice(value)
}

/** A model may contain "TV": a tablet's is known to the parser, and a phone also says Mobile. */
function isTelevision(value: string, type: ParsedType): boolean {
  return type !== 'tablet' && !value.includes('Mobile') && TELEVISION.test(value)
}

/**
 * Google's rule for Android: phones say Mobile, tablets do not
 * (https://android-developers.googleblog.com/2010/12/android-browser-user-agent-issues.html). If
 * the parser does not know the model, it goes by the maker, and most makers of tablets also make
 * phones.
 */
function parseAndroidDevice(value: string, type: ParsedType): UserAgentDevice {
  if (value.includes('Mobile')) return 'mobile'
  if (value.includes('Chrome/')) return 'tablet'
  if (type !== undefined) return type
  return /AppleWebKit|Gecko\//.test(value) ? 'tablet' : 'unknown'
}

function parseUntypedDevice(value: string): UserAgentDevice {
  if (!COMPUTER.test(value)) return 'unknown'
  return TABLET_BROWSER.test(value) ? 'tablet' : 'desktop'
}
