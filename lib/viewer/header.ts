import type { IncomingHttpHeaders } from 'node:http'

/**
 * The value of a header that is sent once, in no more than `maxLength` characters. Anything else,
 * be it repeated (where Node keeps the values apart) or oversized, is nothing a browser or a CDN
 * sends, and reads as if it were not there.
 */
export function readHeader(
  headers: IncomingHttpHeaders,
  name: string,
  maxLength: number,
): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.length <= maxLength ? value : undefined
}
