import type { IncomingHttpHeaders } from 'node:http'
// By the file, since the package's index loads 400 kB of subdivisions too.
import { iso31661Alpha2ToAlpha3 } from 'iso-3166/1-a2-to-1-a3.js'
import { readHeader } from './header.js'

const ASSIGNED: ReadonlySet<string> = new Set(Object.keys(iso31661Alpha2ToAlpha3))

/**
 * Whether `value` is an alpha-2 code that ISO 3166-1 has assigned to a country, in upper case.
 * Reserved and private codes are not: `UK`, `EU`, `AP`, `XK`, and what CDNs send for unknown
 * (`XX`, `ZZ`), Tor (`T1`), proxies (`A1`) and satellites (`A2`).
 */
export function isCountryCode(value: string): boolean {
  return ASSIGNED.has(value)
}

/**
 * `value` as an assigned ISO 3166-1 alpha-2 code in upper case, which is what ENS takes as a
 * location (ens.txt); anything else is `undefined`.
 */
export function toCountry(value: unknown): string | undefined {
  // Letters first: toUpperCase() makes ASCII of some that are not, as I of the dotless ı.
  if (typeof value !== 'string' || !/^[A-Za-z]{2}$/.test(value)) return undefined
  const code = value.toUpperCase()
  return isCountryCode(code) ? code : undefined
}

/** Characters of a CDN's header; EdgeScape's and Netlify's have some 500. */
const MAX_HEADER_LENGTH = 4096

type Reader = (headers: IncomingHttpHeaders) => unknown

const plain =
  (name: string): Reader =>
  (headers) =>
    readHeader(headers, name, MAX_HEADER_LENGTH)

const READERS = {
  // https://cloud.google.com/appengine/docs/flexible/reference/request-headers
  'app-engine': plain('x-appengine-country'),
  // https://techdocs.akamai.com/property-mgr/docs/content-tgting: country_code=US among others
  akamai: (headers) =>
    /(?:^|,) ?country_code=([A-Za-z]{2})(?:,|$)/.exec(
      readHeader(headers, 'x-akamai-edgescape', MAX_HEADER_LENGTH) ?? '',
    )?.[1],
  // https://learn.microsoft.com/azure/frontdoor/rule-set-server-variables: it sends none by
  // itself. A rule overwrites X-Geo-Country with {geo_country}; the header's name is ours.
  azure: plain('x-geo-country'),
  // https://docs.bunny.net/cdn/request-headers-to-origin
  bunny: plain('cdn-requestcountrycode'),
  // https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-ipcountry
  cloudflare: plain('cf-ipcountry'),
  // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
  cloudfront: plain('cloudfront-viewer-country'),
  // https://www.fastly.com/documentation/reference/vcl/variables/geolocation/client-geo-country-code/:
  // it sends none by itself. VCL sets Client-Geo-Country, a name of ours, to that variable.
  fastly: plain('client-geo-country'),
  // https://cloud.google.com/load-balancing/docs/https/custom-headers: it sends none by itself.
  // The document's own example is X-Client-Geo-Location: {client_region},{client_city}.
  google: (headers) =>
    readHeader(headers, 'x-client-geo-location', MAX_HEADER_LENGTH)?.split(',', 1)[0],
  // JSON in base64, as https://github.com/netlify/cli sends it (src/lib/functions/server.ts); the
  // same object as https://docs.netlify.com/build/edge-functions/api/#geo has.
  netlify: (headers) => readNetlify(readHeader(headers, 'x-nf-geo', MAX_HEADER_LENGTH)),
  // https://vercel.com/docs/headers/request-headers#x-vercel-ip-country
  vercel: plain('x-vercel-ip-country'),
} satisfies Record<string, Reader>

/** A CDN, a load balancer or a platform that tells the server behind it the viewer's country. */
export type Cdn = keyof typeof READERS

/** Every `Cdn` there is. */
export const CDNS: readonly Cdn[] = Object.freeze(Object.keys(READERS).filter(isCdn))

/** Whether `value` names a `Cdn`. */
export function isCdn(value: unknown): value is Cdn {
  return typeof value === 'string' && Object.hasOwn(READERS, value)
}

/**
 * The viewer's country by the header of `cdn`: an assigned ISO 3166-1 alpha-2 code in upper case,
 * or `undefined`. Never throws. It is only as true as the way to it: whoever reaches the server
 * past the CDN writes the header himself.
 */
export function readCountry(cdn: Cdn, headers: IncomingHttpHeaders): string | undefined {
  return toCountry(READERS[cdn](headers))
}

function readNetlify(value: string | undefined): unknown {
  if (value === undefined) return undefined
  try {
    const geo: unknown = JSON.parse(Buffer.from(value, 'base64').toString('utf8'))
    return property(property(geo, 'country'), 'code')
  } catch {
    return undefined
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
