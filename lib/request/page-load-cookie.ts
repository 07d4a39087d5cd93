import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { parse, serialize } from 'cookie'
import { beforeHeaders } from './before-headers.js'
import { markPrivate } from './caching.js'
import { readOriginalUrl } from './original-url.js'
import { suppressionForStatus } from './suppression-for-response.js'

/** The option `pageLoadCookie`: the cookie's name, or `true` for the default one. */
export type PageLoadCookie = true | string

/** The default name. Over https it gets a prefix: then no other host can set it (RFC 6265bis). */
const DEFAULT_NAME = 'ad-page-load'
const HOST_PREFIX = '__Host-'
/** The prefixes of names that browsers accept only with `Secure`. */
const SECURE_NAME = /^__(Host|Secure)-/i

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
 *
 * @param source the framework's request, which may know about https when the socket does not
 * @param isKnown whether this process created the id
 */
export function readPageLoadCookie(
  option: PageLoadCookie,
  req: Pick<IncomingMessage, 'headers' | 'socket'>,
  source: unknown,
  isKnown: (id: string) => boolean,
): string | undefined {
  const pages = readOpenPages(resolveName(option, isSecure(req, source)), req.headers, isKnown)
  const [latest] = pages
  if (latest === undefined || pages.length === 1) return latest?.id
  const url = req.headers['hx-current-url'] ?? req.headers.referer
  const addressHash = typeof url === 'string' ? hashAddress(url) : undefined
  return (pages.find((page) => page.addressHash === addressHash) ?? latest).id
}

/**
 * Sets the cookie with the page load's id, for the fragments that the page will fetch. It is set
 * when the head is sent, and only if the status is a display: not with a redirect or an error page.
 * The response becomes private, since the cookie belongs to one viewer. Other cookies are kept,
 * whenever and however they are set.
 *
 * @returns whether the cookie can be set: `false` once the head has been sent
 */
export function setPageLoadCookie(
  option: PageLoadCookie,
  id: string,
  req: IncomingMessage,
  res: ServerResponse,
  source: unknown,
  isKnown: (id: string) => boolean,
): boolean {
  if (res.headersSent) return false
  beforeHeaders(res, () => {
    if (suppressionForStatus(res.statusCode)) return
    const page = { id, addressHash: hashAddress(readOriginalUrl(req, source)) }
    const overHttps = isSecure(req, source)
    const name = resolveName(option, overHttps)
    const otherPages = readOpenPages(name, req.headers, isKnown).filter(
      ({ addressHash }) => addressHash !== page.addressHash,
    )
    const value = [page, ...otherPages]
      .slice(0, MAX_OPEN_PAGES)
      .map((open) => `${open.id}.${open.addressHash}`)
      .join(SEPARATOR)
    const secure = overHttps || SECURE_NAME.test(name)
    const cookie = serialize(name, value, { path: '/', httpOnly: true, sameSite: 'lax', secure })
    res.appendHeader('Set-Cookie', cookie)
    markPrivate(res)
  })
  return true
}

function resolveName(option: PageLoadCookie, overHttps: boolean): string {
  if (option !== true) return option
  return overHttps ? HOST_PREFIX + DEFAULT_NAME : DEFAULT_NAME
}

/** Another host of the site can set one more cookie of this name. */
const MAX_COOKIES = 4

/**
 * The client controls the cookie, so one that is malformed or oversized is ignored. Of several, which
 * are another host's except for one, it is the one with a page that this process knows, or else the
 * first: to ignore all would let a campaign count twice.
 */
function readOpenPages(
  name: string,
  { cookie }: IncomingHttpHeaders,
  isKnown: (id: string) => boolean,
): readonly OpenPage[] {
  if (typeof cookie !== 'string' || cookie.length > MAX_COOKIE_HEADER_CHARACTERS) return []
  const cookies = cookie
    .split(';')
    .filter((pair) => pair.split('=', 1)[0]?.trim() === name)
    .slice(0, MAX_COOKIES)
    .map((pair) => parsePages(parse(pair)[name] ?? ''))
    .filter((pages) => pages.length > 0)
  const [first = []] = cookies
  if (cookies.length <= 1) return first
  return cookies.find((pages) => pages.some(({ id }) => isKnown(id))) ?? first
}

/** @returns nothing if any part is malformed */
function parsePages(value: string): readonly OpenPage[] {
  const entries = value.split(SEPARATOR, MAX_OPEN_PAGES + 1)
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

/** Whether the browser uses https. Behind a trusted proxy, only the framework's request knows. */
function isSecure({ socket }: Pick<IncomingMessage, 'socket'>, source: unknown): boolean {
  if (typeof source === 'object' && source !== null && 'protocol' in source) {
    try {
      return source.protocol === 'https'
    } catch {
      // Express calls the user's `trust proxy` function here; its error must not break the page.
      return false
    }
  }
  return socket && 'encrypted' in socket && socket.encrypted === true
}
