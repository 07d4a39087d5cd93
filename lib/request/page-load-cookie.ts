import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { parse, serialize } from 'cookie'
import onHeaders from 'on-headers'
import { markPrivate, suppressionForStatus } from './caching.js'
import { readOriginalUrl } from './original-url.js'

/** What the option `pageLoadCookie: true` calls the cookie. */
export const PAGE_LOAD_COOKIE = 'ad-page-load'

/** A page load that the browser was told of. */
interface OpenPage {
  /** Random, so that nobody can guess another's. */
  readonly id: string
  /** A digest of the page's address, by which its fragments are known from another tab's. */
  readonly address: string
}

const MAX_COOKIE_HEADER_CHARACTERS = 16_384
/** The pages that the cookie names, the latest first: more than one for those who read in tabs. */
const MAX_OPEN_PAGES = 5
const OPEN_PAGE =
  /^(?<id>[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.(?<address>[\w-]{8})$/
const SEPARATOR = '~'

/**
 * The page load that a fragment belongs to, by the cookie that its page's own navigation left: of
 * the page whose address the fragment names as its own (htmx, `Referer`), else of the page opened
 * last: an address may have been pushed by a script meanwhile, and to count less is better than twice.
 */
export function readPageLoadCookie(name: string, headers: IncomingHttpHeaders): string | undefined {
  const pages = readOpenPages(name, headers)
  const [latest] = pages
  if (latest === undefined || pages.length === 1) return latest?.id
  const url = headers['hx-current-url'] ?? headers.referer
  const address = typeof url === 'string' ? hashAddress(url) : undefined
  return (pages.find((page) => page.address === address) ?? latest).id
}

/**
 * Leaves the page load's id with the browser, for the fragments that the page fetches, if the page
 * is shown in the end: not with a redirect or an error page. The answer is then this viewer's own,
 * so that no shared cache may keep it. Other cookies stay, whenever and however they are set.
 *
 * @param source the framework's request, which may know of https better than the socket
 * @returns whether the cookie will be set: it is too late once the head has been sent
 */
export function setPageLoadCookie(
  name: string,
  id: string,
  req: IncomingMessage,
  res: ServerResponse,
  source: unknown,
): boolean {
  if (res.headersSent) return false
  onHeaders(res, () => {
    if (suppressionForStatus(res.statusCode)) return
    const page = { id, address: hashAddress(readOriginalUrl(req, source)) }
    const others = readOpenPages(name, req.headers).filter(
      ({ address }) => address !== page.address,
    )
    const cookie = serialize(
      name,
      [page, ...others]
        .slice(0, MAX_OPEN_PAGES)
        .map((open) => `${open.id}.${open.address}`)
        .join(SEPARATOR),
      { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure(req, source) },
    )
    res.appendHeader('Set-Cookie', cookie)
    markPrivate(res)
  })
  return true
}

/**
 * A cookie is the client's to write: one that is malformed, oversized or sent twice is ignored.
 */
function readOpenPages(name: string, { cookie }: IncomingHttpHeaders): readonly OpenPage[] {
  if (cookie === undefined || cookie.length > MAX_COOKIE_HEADER_CHARACTERS) return []
  const pairs = cookie.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() === name)
  const [pair, second] = pairs
  if (pair === undefined || second !== undefined) return []
  const entries = parse(pair)[name]?.split(SEPARATOR, MAX_OPEN_PAGES + 1) ?? []
  const pages = entries.flatMap((entry) => {
    const { id, address } = OPEN_PAGE.exec(entry)?.groups ?? {}
    return id !== undefined && address !== undefined ? [{ id, address }] : []
  })
  return pages.length === entries.length && pages.length <= MAX_OPEN_PAGES ? pages : []
}

const MAX_URL_CHARACTERS = 8_192

/** A digest of path and query: what is read stays unsaid in the cookie. */
function hashAddress(url: string): string {
  const base = 'http://page.invalid'
  const { pathname, search } =
    url.length <= MAX_URL_CHARACTERS && URL.canParse(url, base) ? new URL(url, base) : new URL(base)
  return createHash('sha256').update(`${pathname}${search}`).digest('base64url').slice(0, 8)
}

/** Whether the browser speaks https: Express and Koa know of a trusted proxy, a socket does not. */
function isSecure(req: IncomingMessage, source: unknown): boolean {
  if (typeof source === 'object' && source !== null && 'secure' in source) {
    try {
      return source.secure === true
    } catch {
      // Express asks a function of the user's (`trust proxy`): the page goes on without it.
      return false
    }
  }
  return req.socket && 'encrypted' in req.socket && req.socket.encrypted === true
}
