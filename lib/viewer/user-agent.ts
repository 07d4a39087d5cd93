import { isbot } from 'isbot'
import { LRUCache } from 'lru-cache'
import { UAParser } from 'ua-parser-js'

/**
 * What a User-Agent says of the device behind it. `'other'` is a device that is none of the
 * three an ad network knows (a TV, a console, a car, a watch); `'unknown'` is no device at all.
 */
export type UserAgentDevice = 'mobile' | 'desktop' | 'tablet' | 'other' | 'unknown'

export interface UserAgent {
  readonly device: UserAgentDevice
  readonly bot: boolean
}

/**
 * Characters of a User-Agent that are looked at. Real ones stay well below (the longest in a
 * sample of 10,000 page views has 268), and every expression below runs on no more than this.
 */
export const MAX_USER_AGENT_LENGTH = 512

/** User agents remembered. A day's sample of 10,000 real viewers holds about 950 different ones. */
export const MAX_USER_AGENTS = 2_000

const NOTHING: UserAgent = Object.freeze({ device: 'unknown', bot: false })

const seen = new LRUCache<string, UserAgent>({ max: MAX_USER_AGENTS })

/**
 * Reads a User-Agent (RFC 9110, section 10.1.5), from memory where it was seen before.
 *
 * Never throws. One that is longer than `MAX_USER_AGENT_LENGTH` is read as far as that and not
 * remembered: a slice would keep the whole string alive.
 */
export function readUserAgent(value: string | undefined): UserAgent {
  if (value === undefined || value === '') return NOTHING
  if (value.length > MAX_USER_AGENT_LENGTH) return parse(value.slice(0, MAX_USER_AGENT_LENGTH))
  let userAgent = seen.get(value)
  if (userAgent === undefined) {
    userAgent = parse(value)
    seen.set(value, userAgent)
  }
  return userAgent
}

function parse(value: string): UserAgent {
  return { device: parseDevice(value), bot: isbot(value) }
}

// The systems whose browsers the parser leaves without a device type, because they are computers.
const COMPUTER = /Windows NT|Macintosh|X11|Linux|CrOS/

function parseDevice(value: string): UserAgentDevice {
  const { type } = new UAParser(value).getDevice()
  if (type === 'mobile' || type === 'tablet') return type
  if (type !== undefined) return 'other'
  return COMPUTER.test(value) ? 'desktop' : 'unknown'
}
