import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'
import type { Suppression } from '../impression.js'
import { readResponseHeader } from './response-header.js'

/** Why a response with this status displays nothing, once it has been written. */
export function suppressionForStatus(status: number): Suppression | undefined {
  if (status >= 500) return 'server-error'
  // A 304 shows the page that the browser has kept.
  if (status >= 300 && status < 400 && status !== 304) return 'redirect'
  return undefined
}

const SHARED = /(^|[\s,])(public(?![\w-])|s-maxage\s*=)/i

/** Whether shared caches may keep the response: displays of their copies never reach this server. */
export function isSharedCacheable(res: ServerResponse): boolean {
  return SHARED.test(readResponseHeader(res, 'cache-control'))
}

/** Whether caches may keep the response and show it to others, as RFC 9111 has it. */
export function isStorable(res: ServerResponse): boolean {
  const directives = readResponseHeader(res, 'cache-control')
  if (SHARED.test(directives)) return true
  return /max-age\s*=/i.test(directives) && !/private|no-store/i.test(directives)
}

const keptPrivate = new WeakSet<ServerResponse>()

/** Makes the response private as its head is sent, whatever it says until then. */
export function markPrivateOnSend(res: ServerResponse): void {
  if (keptPrivate.has(res)) return
  keptPrivate.add(res)
  onHeaders(res, () => markPrivate(res))
}

/** Lets the browser keep the response as before, and shared caches never. */
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
