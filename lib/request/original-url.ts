import type { IncomingMessage } from 'node:http'

/** What the browser asked for: a framework's routers cut the front off `req.url`. */
export function readOriginalUrl(req: IncomingMessage, source: unknown): string {
  const original =
    typeof source === 'object' && source !== null && 'originalUrl' in source
      ? source.originalUrl
      : undefined
  return typeof original === 'string' ? original : (req.url ?? '/')
}
