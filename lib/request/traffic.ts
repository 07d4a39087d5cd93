import type { IncomingHttpHeaders } from 'node:http'
import { readUserAgent } from '../viewer/user-agent.js'

const SPECULATION = /^(?:prefetch|prerender|preview)(?![\w-])/i

/**
 * Whether the page is loaded before anyone asked for it: a prefetch, a prerender or a preview.
 * Whether it is ever looked at, its request does not tell. Never throws.
 */
export function isSpeculative(headers: IncomingHttpHeaders): boolean {
  // Sec-Purpose is the standard's (https://fetch.spec.whatwg.org/#sec-purpose-header, with
  // parameters: `prefetch;prerender`, `prefetch;anonymous-client-ip`). The rest are what browsers
  // sent before and some still do: Purpose is Chromium's, X-Purpose WebKit's, X-Moz Firefox's.
  // Each by a name in the code: 6 ns a page, where a loop over the names takes 60 to 100.
  return (
    isSpeculation(headers['sec-purpose']) ||
    isSpeculation(headers.purpose) ||
    isSpeculation(headers['x-purpose']) ||
    isSpeculation(headers['x-moz'])
  )
}

function isSpeculation(value: string | string[] | undefined): boolean {
  return typeof value === 'string' && SPECULATION.test(value)
}

/**
 * Whether the User-Agent is a known robot's. A missing one is not: some privacy tools and in-app
 * browsers send none. Never throws; under a microsecond for a User-Agent seen before.
 */
export function isBot(headers: IncomingHttpHeaders): boolean {
  const { 'user-agent': value } = headers
  return readUserAgent(typeof value === 'string' ? value : undefined).bot
}
