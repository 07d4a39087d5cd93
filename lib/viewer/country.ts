import type { IncomingHttpHeaders } from 'node:http'
import { iso31661Alpha2ToAlpha3 } from 'iso-3166/1-a2-to-1-a3.js'

const ASSIGNED = new Set(Object.keys(iso31661Alpha2ToAlpha3))

/** Whether `value` is a country code that ISO 3166-1 has assigned (alpha-2, upper case). */
export function isCountryCode(value: string): boolean {
  return ASSIGNED.has(value)
}

/** `value` as an assigned ISO 3166-1 alpha-2 code in upper case, or `undefined`. */
export function toCountry(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[A-Za-z]{2}$/.test(value)) return undefined
  const code = value.toUpperCase()
  return isCountryCode(code) ? code : undefined
}

const HEADERS = {
  cloudflare: 'cf-ipcountry',
  cloudfront: 'cloudfront-viewer-country',
  vercel: 'x-vercel-ip-country',
  'app-engine': 'x-appengine-country',
}

export type Cdn = keyof typeof HEADERS

export function readCountry(cdn: Cdn, headers: IncomingHttpHeaders): string | undefined {
  return toCountry(headers[HEADERS[cdn]])
}
