import type { IncomingMessage } from 'node:http'

/** The URL that the browser requested. Routers strip their mount path from `req.url`. */
export function readOriginalUrl(req: IncomingMessage, source: unknown): string {
  const originalUrl =
    typeof source === 'object' && source !== null && 'originalUrl' in source
      ? source.originalUrl
      : undefined
  return typeof originalUrl === 'string' ? originalUrl : (req.url ?? '/')
}
