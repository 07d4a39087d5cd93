import type { IncomingMessage } from 'node:http'
import { toOneLine } from '../errors.js'
import { readOriginalUrl } from './original-url.js'

/**
 * Describes a request for the log: its method and path, such as `GET /news`. Without the query,
 * which may be personal. The text is short, printable and keeps nothing of the request in memory.
 */
export function describePage(req: IncomingMessage, source: unknown): string {
  const url = readOriginalUrl(req, source)
  const end = url.search(/[?#]/)
  return toOneLine(`${req.method} ${end < 0 ? url : url.slice(0, end)}`)
}
