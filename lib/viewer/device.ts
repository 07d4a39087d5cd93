import type { IncomingHttpHeaders } from 'node:http'
import { readHeader } from './header.js'
import { readUserAgent } from './user-agent.js'

/** The values of `device` in ENS's API (https://ads.enslive.live). */
export type Device = 'mobile' | 'desktop' | 'tablet'

/** Whether `value` is a `Device`. */
export function isDevice(value: unknown): value is Device {
  return value === 'mobile' || value === 'desktop' || value === 'tablet'
}

/** In characters. Browsers send shorter ones. */
const MAX_HINT_LENGTH = 128

/**
 * Reads the viewer's device from client hints, where the browser sends them, then from the
 * User-Agent. Returns `undefined` for devices that ENS has no value for: a TV, a console, a car, a
 * headset, a watch, or one that is not recognized. Never throws.
 *
 * Chromium browsers send `Sec-CH-UA-Mobile` and `Sec-CH-UA-Platform` with every request over https,
 * and `Sec-CH-UA-Form-Factors` only to sites that request it with `Accept-CH`. See
 * https://wicg.github.io/ua-client-hints/. Safari and Firefox send none of them. An iPad identifies
 * itself as a Mac by default, so it reads as `'desktop'`.
 */
export function readDevice(headers: IncomingHttpHeaders): Device | undefined {
  const formFactor = readFormFactor(headers)
  if (formFactor !== undefined) return formFactor === 'other' ? undefined : formFactor

  const { 'user-agent': value } = headers
  const { device } = readUserAgent(typeof value === 'string' ? value : undefined)
  // The other two hints distinguish phones from the rest, but not a TV from a desktop.
  if (device === 'other') return undefined
  return readMobileAndPlatform(headers) ?? (device === 'unknown' ? undefined : device)
}

// A browser lists every form factor that applies, so the most specific ones come first. "EInk" is
// missing because it says nothing about the size.
const FORM_FACTORS: readonly (readonly [string, Device | 'other'])[] = [
  ['"Automotive"', 'other'],
  ['"Watch"', 'other'],
  ['"XR"', 'other'],
  ['"Tablet"', 'tablet'],
  ['"Mobile"', 'mobile'],
  ['"Desktop"', 'desktop'],
]

function readFormFactor(headers: IncomingHttpHeaders): Device | 'other' | undefined {
  const hint = readHeader(headers, 'sec-ch-ua-form-factors', MAX_HINT_LENGTH)
  if (hint === undefined) return undefined
  return FORM_FACTORS.find(([factor]) => hint.includes(factor))?.[1]
}

// Platforms of browsers that are not mobile. For any other name ("Unknown", "Fuchsia", "Tizen") the
// User-Agent decides.
const PLATFORMS = new Map<string, Device>([
  // A tablet, or a Samsung phone in desktop mode. The User-Agent of both says X11.
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
