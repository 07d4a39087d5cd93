import type { ServerResponse } from 'node:http'
import { beforeHeaders } from './before-headers.js'
import { readResponseHeader } from './response-header.js'

const SHARED = /(^|[\s,])(public(?![\w-])|s-maxage\s*=)/i

/**
 * Whether the response invites shared caches to store it. When a cache serves a copy, the request
 * never reaches this server.
 */
export function isSharedCacheable(res: ServerResponse): boolean {
  return SHARED.test(readResponseHeader(res, 'cache-control'))
}

/** Whether a shared cache may store the response and serve it to others (RFC 9111, section 3). */
export function isStorable(res: ServerResponse): boolean {
  const directives = readResponseHeader(res, 'cache-control')
  if (SHARED.test(directives)) return true
  return /max-age\s*=/i.test(directives) && !/private|no-store/i.test(directives)
}

const markedResponses = new WeakSet<ServerResponse>()

/** Makes the response private when its head is sent, whatever `Cache-Control` is set until then. */
export function markPrivateOnSend(res: ServerResponse): void {
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
