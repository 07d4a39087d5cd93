import type { IncomingHttpHeaders } from 'node:http'
import { readUserAgent } from '../viewer/user-agent.js'

const SPECULATIVE = /^(?:prefetch|prerender|preview)(?![\w-])/i

/**
 * Whether the browser loads the page before anyone asked for it: a prefetch, a prerender or a
 * preview. The request does not reveal whether the page is looked at later. Never throws.
 */
export function isSpeculative(headers: IncomingHttpHeaders): boolean {
  // Sec-Purpose is the standard header (https://fetch.spec.whatwg.org/#sec-purpose-header). It may
  // have parameters: `prefetch;prerender`, `prefetch;anonymous-client-ip`. The others are older, and
  // some browsers still send them: Purpose (Chromium), X-Purpose (WebKit), X-Moz (Firefox).
  // Literal names are much faster than a loop over names, and this runs for every page.
  return (
    isSpeculativeValue(headers['sec-purpose']) ||
    isSpeculativeValue(headers.purpose) ||
    isSpeculativeValue(headers['x-purpose']) ||
    isSpeculativeValue(headers['x-moz'])
  )
}

function isSpeculativeValue(value: string | string[] | undefined): boolean {
  return typeof value === 'string' && SPECULATIVE.test(value)
}

/**
 * Whether the User-Agent is that of a known bot. A missing User-Agent is not: some privacy tools and
 * in-app browsers send none. Never throws.
 */
export function isBot(headers: IncomingHttpHeaders): boolean {
  const { 'user-agent': value } = headers
  return readUserAgent(typeof value === 'string' ? value : undefined).isBot
}
