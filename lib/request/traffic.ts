import type { IncomingHttpHeaders } from 'node:http'
import { readUserAgent } from '../viewer/user-agent.js'

const SPECULATIVE = /^(?:prefetch|prerender|preview)(?![\w-])/i

/**
 * Whether the page is loaded before anyone asked for it: a prefetch, a prerender or a preview. The
 * request does not reveal whether the page is looked at later. Never throws.
 *
 * | header | sent by |
 * | --- | --- |
 * | `Sec-Purpose` | browsers (https://fetch.spec.whatwg.org/#sec-purpose-header) |
 * | `Purpose` | Chromium before the standard; Inertia (https://inertiajs.com/prefetching) |
 * | `X-Purpose` | WebKit before the standard; Turbo 7 (https://github.com/hotwired/turbo/pull/925) |
 * | `X-Moz` | Firefox before the standard |
 * | `X-Sec-Purpose` | Turbo 8, on hover (https://github.com/hotwired/turbo/issues/1327) |
 * | `Next-Router-Prefetch`, `-Segment-Prefetch` | Next.js, App Router (`app-router-headers.ts`) |
 * | `X-Middleware-Prefetch` | Next.js, Pages Router with middleware (`router.ts`) |
 * | `HX-Preloaded` | htmx's preload extension (https://htmx.org/extensions/preload/) |
 */
export function isSpeculative(headers: IncomingHttpHeaders): boolean {
  // Literal names are much faster than a loop over names, and this runs for every page.
  return (
    isSpeculativeValue(headers['sec-purpose']) ||
    isSpeculativeValue(headers.purpose) ||
    isSpeculativeValue(headers['x-purpose']) ||
    isSpeculativeValue(headers['x-moz']) ||
    isSpeculativeValue(headers['x-sec-purpose']) ||
    headers['next-router-prefetch'] !== undefined ||
    headers['next-router-segment-prefetch'] !== undefined ||
    headers['x-middleware-prefetch'] !== undefined ||
    headers['hx-preloaded'] === 'true'
  )
}

function isSpeculativeValue(value: string | string[] | undefined): boolean {
  return typeof value === 'string' && SPECULATIVE.test(value)
}

/** Methods whose response a browser or a script displays. Scripts (htmx, Turbo) send all of them. */
const DISPLAY_METHODS: ReadonlySet<string | undefined> = new Set([
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
])

/** Whether the response to this method is displayed, unlike that to `HEAD` or `OPTIONS`. */
export function isDisplayMethod(method: string | undefined): boolean {
  return DISPLAY_METHODS.has(method)
}

/** `bytes=0-`: media players ask for a whole recording like this. */
const WHOLE_RANGE = /^bytes\s*=\s*0+\s*-\s*$/i

/**
 * Whether the request asks for a part of the response only (RFC 9110, section 14.2), as players and
 * download managers do before or beside the whole.
 */
export function isPartialRequest({ range }: IncomingHttpHeaders): boolean {
  return range !== undefined && !WHOLE_RANGE.test(range)
}

/** Destinations for which a browser does not display HTML (https://fetch.spec.whatwg.org/#concept-request-destination). */
const SUBRESOURCES: ReadonlySet<string> = new Set([
  'audio',
  'audioworklet',
  'font',
  'image',
  'json',
  'manifest',
  'paintworklet',
  'report',
  'script',
  'serviceworker',
  'sharedworker',
  'style',
  'track',
  'video',
  'worker',
  'xslt',
])

/**
 * Whether the browser would not display HTML that it gets for this request: it asks for an image, a
 * script, a font (`Sec-Fetch-Dest`), or for a response that no script can read (`Sec-Fetch-Mode:
 * no-cors` from another origin). See https://www.w3.org/TR/fetch-metadata/. Browsers that do not
 * send these headers are not recognized.
 */
export function isSubresource(headers: IncomingHttpHeaders): boolean {
  const dest = headers['sec-fetch-dest']
  if (typeof dest !== 'string') return false
  if (SUBRESOURCES.has(dest)) return true
  const isOpaque = dest === 'empty' && headers['sec-fetch-mode'] === 'no-cors'
  return isOpaque && headers['sec-fetch-site'] !== 'same-origin'
}

/**
 * Whether the User-Agent is that of a known bot. A missing User-Agent is not: some privacy tools and
 * in-app browsers send none. Never throws.
 */
export function isBot(headers: IncomingHttpHeaders): boolean {
  const { 'user-agent': value } = headers
  return readUserAgent(typeof value === 'string' ? value : undefined).isBot
}
