import type { ServerResponse } from 'node:http'
import type { Log } from '../logger.js'
import { beforeHeaders } from './before-headers.js'
import { readResponseHeader } from './response-header.js'

const SHARED = /(^|[\s,])(public(?![\w-])|s-maxage\s*=)/i

/** Warns if the response allows shared caches to store it: their copies never reach this server. */
export function warnIfShared(res: ServerResponse, log: Log): void {
  if (isSharedCacheable(res)) warnAboutCopies(log)
}

/**
 * Makes a response with a token private. A token is for one viewer: copies of the page from a cache
 * would all report the same one.
 */
export function preventCopies(res: ServerResponse, log: Log): void {
  if (!res.headersSent) markPrivateOnSend(res)
  else if (isStorable(res)) warnAboutCopies(log)
}

function warnAboutCopies(log: Log): void {
  log.warn(
    'shared-response',
    'a page with impressions allows shared caches to store it (Cache-Control: public, ' +
      's-maxage or max-age): displays of the cached copies are never counted',
  )
}

/** Whether the response invites shared caches to store it. */
function isSharedCacheable(res: ServerResponse): boolean {
  return SHARED.test(readResponseHeader(res, 'cache-control'))
}

/** Whether a shared cache may store the response and serve it to others (RFC 9111, section 3). */
function isStorable(res: ServerResponse): boolean {
  const directives = readResponseHeader(res, 'cache-control')
  if (SHARED.test(directives)) return true
  return /max-age\s*=/i.test(directives) && !/private|no-store/i.test(directives)
}

const markedResponses = new WeakSet<ServerResponse>()

/** Makes the response private when its head is sent, whatever `Cache-Control` is set until then. */
function markPrivateOnSend(res: ServerResponse): void {
  if (markedResponses.has(res)) return
  markedResponses.add(res)
  beforeHeaders(res, () => markPrivate(res))
}

/** Bars shared caches from storing the response. What the browser may cache does not change. */
export function markPrivate(res: ServerResponse): void {
  const directives = String(res.getHeader('cache-control') ?? '')
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => !/^(public|s-maxage\s*=.*|)$/i.test(directive))
  if (!directives.some((directive) => /^(private|no-store)$/i.test(directive))) {
    directives.unshift('private')
  }
  res.setHeader('Cache-Control', directives.join(', '))
}
