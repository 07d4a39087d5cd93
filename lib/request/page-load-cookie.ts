import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { parse, serialize } from 'cookie'
import { beforeHeaders } from './before-headers.js'
import { markPrivate } from './caching.js'
import { readOriginalUrl } from './original-url.js'
import { suppressionForStatus } from './suppression-for-status.js'

/** The cookie's name with the option `pageLoadCookie: true`. */
export const PAGE_LOAD_COOKIE = 'ad-page-load'

/** A page that is open in the browser, as the cookie records it. */
interface OpenPage {
  /** The page load's id. Random, so that nobody can guess another viewer's. */
  readonly id: string
  /** A hash of the page's address. It matches fragments to pages when several tabs are open. */
  readonly addressHash: string
}

const MAX_COOKIE_HEADER_CHARACTERS = 16_384
/** The cookie lists this many pages, the latest first, for viewers with several tabs. */
const MAX_OPEN_PAGES = 5
const OPEN_PAGE =
  /^(?<id>[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.(?<addressHash>[\w-]{8})$/
const SEPARATOR = '~'

/**
 * The id of the page load that a fragment belongs to, from the cookie that its page set.
 *
 * With several pages open, it is the page whose address the fragment's request names (htmx's header
 * or `Referer`). If none matches, it is the page opened last: a script may have changed the address
 * with `pushState`, and counting too little is better than counting twice.
 */
export function readPageLoadCookie(name: string, headers: IncomingHttpHeaders): string | undefined {
  const pages = readOpenPages(name, headers)
  const [latest] = pages
  if (latest === undefined || pages.length === 1) return latest?.id
  const url = headers['hx-current-url'] ?? headers.referer
  const addressHash = typeof url === 'string' ? hashAddress(url) : undefined
  return (pages.find((page) => page.addressHash === addressHash) ?? latest).id
}

/**
 * Sets the cookie with the page load's id, for the fragments that the page will fetch. It is set
 * when the head is sent, and only if the status is a display: not with a redirect or an error page.
 * The response becomes private, since the cookie belongs to one viewer. Other cookies are kept,
 * whenever and however they are set.
 *
 * @param source the framework's request, which may know about https when the socket does not
 * @returns whether the cookie can be set: `false` once the head has been sent
 */
export function setPageLoadCookie(
  name: string,
  id: string,
  req: IncomingMessage,
  res: ServerResponse,
  source: unknown,
): boolean {
  if (res.headersSent) return false
  beforeHeaders(res, () => {
    if (suppressionForStatus(res.statusCode)) return
    const page = { id, addressHash: hashAddress(readOriginalUrl(req, source)) }
    const otherPages = readOpenPages(name, req.headers).filter(
      ({ addressHash }) => addressHash !== page.addressHash,
    )
    const value = [page, ...otherPages]
      .slice(0, MAX_OPEN_PAGES)
      .map((open) => `${open.id}.${open.addressHash}`)
      .join(SEPARATOR)
    const secure = isSecure(req, source)
    const cookie = serialize(name, value, { path: '/', httpOnly: true, sameSite: 'lax', secure })
    res.appendHeader('Set-Cookie', cookie)
    markPrivate(res)
  })
  return true
}

/** The client controls the cookie, so one that is malformed, oversized or repeated is ignored. */
function readOpenPages(name: string, { cookie }: IncomingHttpHeaders): readonly OpenPage[] {
  if (typeof cookie !== 'string' || cookie.length > MAX_COOKIE_HEADER_CHARACTERS) return []
  const pairs = cookie.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() === name)
  const [pair, second] = pairs
  if (pair === undefined || second !== undefined) return []
  const entries = parse(pair)[name]?.split(SEPARATOR, MAX_OPEN_PAGES + 1) ?? []
  const pages = entries.flatMap((entry) => {
    const { id, addressHash } = OPEN_PAGE.exec(entry)?.groups ?? {}
    return id !== undefined && addressHash !== undefined ? [{ id, addressHash }] : []
  })
  return pages.length === entries.length && pages.length <= MAX_OPEN_PAGES ? pages : []
}

const MAX_URL_CHARACTERS = 8_192

/** A hash of path and query, so that the cookie does not reveal what the viewer reads. */
function hashAddress(url: string): string {
  const base = 'http://page.invalid'
  const { pathname, search } =
    url.length <= MAX_URL_CHARACTERS && URL.canParse(url, base) ? new URL(url, base) : new URL(base)
  return createHash('sha256').update(`${pathname}${search}`).digest('base64url').slice(0, 8)
}

/** Whether the browser uses https. Behind a trusted proxy, only Express and Koa know. */
function isSecure(req: IncomingMessage, source: unknown): boolean {
  if (typeof source === 'object' && source !== null && 'secure' in source) {
    try {
      return source.secure === true
    } catch {
      // Express calls the user's `trust proxy` function here; its error must not break the page.
      return false
    }
  }
  return req.socket && 'encrypted' in req.socket && req.socket.encrypted === true
}
