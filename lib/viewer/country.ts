import type { IncomingHttpHeaders } from 'node:http'
// Imported by file, because the package's index also loads the large list of subdivisions.
import { iso31661Alpha2ToAlpha3 } from 'iso-3166/1-a2-to-1-a3.js'
import { readHeader } from './header.js'

const ASSIGNED_CODES: ReadonlySet<string> = new Set(Object.keys(iso31661Alpha2ToAlpha3))

/**
 * Whether `value` is an upper-case alpha-2 code that ISO 3166-1 assigns to a country. Reserved and
 * private codes are not (`UK`, `EU`, `AP`, `XK`), nor what CDNs send for unknown (`XX`, `ZZ`), Tor
 * (`T1`), proxies (`A1`) and satellites (`A2`).
 */
export function isCountryCode(value: string): boolean {
  return ASSIGNED_CODES.has(value)
}

/**
 * Converts `value` to an assigned ISO 3166-1 alpha-2 code in upper case, the format of ENS's
 * `location` (https://ads.enslive.live). Returns `undefined` for anything else.
 */
export function toCountry(value: unknown): string | undefined {
  // Checked first, because toUpperCase() turns some other letters into ASCII: ı (dotless i) into I.
  if (typeof value !== 'string' || !/^[A-Za-z]{2}$/.test(value)) return undefined
  const code = value.toUpperCase()
  return isCountryCode(code) ? code : undefined
}

/** In characters. The longest headers are EdgeScape's and Netlify's, and they are much shorter. */
const MAX_HEADER_LENGTH = 4096

type CountryReader = (headers: IncomingHttpHeaders) => unknown

const fromHeader =
  (name: string): CountryReader =>
  (headers) =>
    readHeader(headers, name, MAX_HEADER_LENGTH)

const READERS = {
  // https://cloud.google.com/appengine/docs/flexible/reference/request-headers
  'app-engine': fromHeader('x-appengine-country'),
  // https://techdocs.akamai.com/property-mgr/docs/content-tgting: a list of fields, such as
  // country_code=US
  akamai: (headers) =>
    /(?:^|,) ?country_code=([A-Za-z]{2})(?:,|$)/.exec(
      readHeader(headers, 'x-akamai-edgescape', MAX_HEADER_LENGTH) ?? '',
    )?.[1],
  // https://learn.microsoft.com/azure/frontdoor/rule-set-server-variables: not sent by
  // default. A rule must set X-Geo-Country to {geo_country}; the header's name is our choice.
  azure: fromHeader('x-geo-country'),
  // https://docs.bunny.net/cdn/request-headers-to-origin
  bunny: fromHeader('cdn-requestcountrycode'),
  // https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-ipcountry
  cloudflare: fromHeader('cf-ipcountry'),
  // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
  cloudfront: fromHeader('cloudfront-viewer-country'),
  // https://www.fastly.com/documentation/reference/vcl/variables/geolocation/client-geo-country-code/:
  // not sent by default. VCL must set Client-Geo-Country to this variable; the name is our choice.
  fastly: fromHeader('client-geo-country'),
  // https://cloud.google.com/load-balancing/docs/https/custom-headers: not sent by default.
  // The header is the example in this document: X-Client-Geo-Location: {client_region},{client_city}.
  google: (headers) =>
    readHeader(headers, 'x-client-geo-location', MAX_HEADER_LENGTH)?.split(',', 1)[0],
  // JSON in base64, as in https://github.com/netlify/cli (src/lib/functions/server.ts). The object is
  // described at https://docs.netlify.com/build/edge-functions/api/#geo.
  netlify: (headers) => readNetlifyCountry(readHeader(headers, 'x-nf-geo', MAX_HEADER_LENGTH)),
  // https://vercel.com/docs/headers/request-headers#x-vercel-ip-country
  vercel: fromHeader('x-vercel-ip-country'),
} satisfies Record<string, CountryReader>

/**
 * A CDN, load balancer or platform that sends the viewer's country to the server in a header.
 *
 * @useDeclaredType
 */
export type Cdn = keyof typeof READERS

/** All values of `Cdn`. */
export const CDNS: readonly Cdn[] = Object.freeze(Object.keys(READERS).filter(isCdn))

/** Whether `value` names a `Cdn`. */
export function isCdn(value: unknown): value is Cdn {
  return typeof value === 'string' && Object.hasOwn(READERS, value)
}

/**
 * Reads the viewer's country from the header of `cdn`: an assigned ISO 3166-1 alpha-2 code in upper
 * case, or `undefined`. Never throws. A client that can bypass the CDN can forge the header.
 */
export function readCountry(cdn: Cdn, headers: IncomingHttpHeaders): string | undefined {
  return toCountry(READERS[cdn](headers))
}

function readNetlifyCountry(value: string | undefined): unknown {
  if (value === undefined) return undefined
  try {
    const geo: unknown = JSON.parse(Buffer.from(value, 'base64').toString('utf8'))
    return getOwnProperty(getOwnProperty(geo, 'country'), 'code')
  } catch {
    return undefined
  }
}

function getOwnProperty(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
