import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { parse, serialize } from 'cookie'
import { makePrivate } from '../response.js'

/** What the option `pageLoadCookie: true` calls the cookie. */
export const PAGE_LOAD_COOKIE = 'ad-page-load'

const MAX_COOKIE_HEADER_CHARACTERS = 16_384
const RANDOM_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * Whether the request loads a page of its own, which begins a page load, rather than a fragment of
 * one: Fetch Metadata tells (`Sec-Fetch-Dest`, `Sec-Fetch-Mode`), and where a browser does not send
 * it, htmx's and XHR's own headers do. htmx's boosted links and restored history are pages.
 */
export function isNavigation({ headers }: IncomingMessage): boolean {
  if (headers['hx-boosted'] === 'true') return true
  if (headers['hx-history-restore-request'] === 'true') return true
  const mode = headers['sec-fetch-mode']
  const dest = headers['sec-fetch-dest']
  if (mode !== undefined || dest !== undefined) return mode === 'navigate' && dest === 'document'
  return headers['hx-request'] === undefined && headers['x-requested-with'] === undefined
}

/**
 * The id that the page's own navigation left in the cookie. A cookie is the client's to write: one
 * that is malformed, oversized or sent twice is ignored.
 */
export function readPageLoadCookie(name: string, headers: IncomingHttpHeaders): string | undefined {
  const { cookie } = headers
  if (cookie === undefined || cookie.length > MAX_COOKIE_HEADER_CHARACTERS) return undefined
  const pairs = cookie.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() === name)
  const [pair, second] = pairs
  if (pair === undefined || second !== undefined) return undefined
  const id = parse(pair)[name]
  return id !== undefined && RANDOM_ID.test(id) ? id : undefined
}

/**
 * Leaves the page load's id with the browser, for the fragments that the page fetches. The answer
 * is then this viewer's own, so that no shared cache may keep it.
 *
 * @param isSecure whether the browser speaks https, perhaps to a proxy
 * @returns whether the cookie is set: it is too late once the head has been sent
 */
export function setPageLoadCookie(
  name: string,
  id: string,
  res: ServerResponse,
  isSecure: boolean,
): boolean {
  if (res.headersSent) return false
  const cookie = serialize(name, id, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure,
  })
  res.appendHeader('Set-Cookie', cookie)
  makePrivate(res)
  return true
}
