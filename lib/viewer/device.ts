import type { IncomingHttpHeaders } from 'node:http'
import { readHeader } from './header.js'
import { readUserAgent } from './user-agent.js'

/** The devices that ENS has a word for (ens.txt, `device`). */
export type Device = 'mobile' | 'desktop' | 'tablet'

/** Whether `value` is a `Device`. */
export function isDevice(value: unknown): value is Device {
  return value === 'mobile' || value === 'desktop' || value === 'tablet'
}

/** Characters of a client hint; the longest that a browser sends has some 60. */
const MAX_HINT_LENGTH = 128

/**
 * Reads the viewer's device: client hints first, where the browser sends them, then the
 * User-Agent. A TV, a console, a car, a headset, a watch or an unknown thing has no word at ENS:
 * `undefined`. Never throws; under a microsecond for a User-Agent seen before.
 *
 * `Sec-CH-UA-Mobile` and `Sec-CH-UA-Platform` come with every request of a Chromium browser over
 * https; `Sec-CH-UA-Form-Factors` only to a site that asks for it (`Accept-CH`). See
 * https://wicg.github.io/ua-client-hints/. Safari and Firefox send none of them, so that an iPad,
 * which poses as a Mac unless told otherwise, reads as `'desktop'`.
 */
export function readDevice(headers: IncomingHttpHeaders): Device | undefined {
  const factors = readFormFactors(headers)
  if (factors !== undefined) return factors === 'other' ? undefined : factors

  const { 'user-agent': value } = headers
  const { device } = readUserAgent(typeof value === 'string' ? value : undefined)
  // The other two hints know phones from the rest, and no TV from a desktop.
  if (device === 'other') return undefined
  return readMobileAndPlatform(headers) ?? (device === 'unknown' ? undefined : device)
}

// Most telling first: a browser lists all that apply, and "EInk" says nothing of the size.
const FORM_FACTORS: readonly (readonly [string, Device | 'other'])[] = [
  ['"Automotive"', 'other'],
  ['"Watch"', 'other'],
  ['"XR"', 'other'],
  ['"Tablet"', 'tablet'],
  ['"Mobile"', 'mobile'],
  ['"Desktop"', 'desktop'],
]

function readFormFactors(headers: IncomingHttpHeaders): Device | 'other' | undefined {
  const hint = readHeader(headers, 'sec-ch-ua-form-factors', MAX_HINT_LENGTH)
  if (hint === undefined) return undefined
  return FORM_FACTORS.find(([factor]) => hint.includes(factor))?.[1]
}

// What a browser that is not mobile runs on. Any other name ("Unknown", "Fuchsia", "Tizen") is
// left to the User-Agent.
const PLATFORMS = new Map<string, Device>([
  // A tablet, or a phone of Samsung's in desktop mode, whose User-Agent says X11 in both cases.
  ['"Android"', 'tablet'],
  ['"Chrome OS"', 'desktop'],
  ['"Chromium OS"', 'desktop'],
  ['"macOS"', 'desktop'],
  ['"Windows"', 'desktop'],
])

function readMobileAndPlatform(headers: IncomingHttpHeaders): Device | undefined {
  const mobile = readHeader(headers, 'sec-ch-ua-mobile', MAX_HINT_LENGTH)
  if (mobile === '?1') return 'mobile'
  if (mobile !== '?0') return undefined
  const platform = readHeader(headers, 'sec-ch-ua-platform', MAX_HINT_LENGTH)
  return platform === undefined ? undefined : PLATFORMS.get(platform)
}
