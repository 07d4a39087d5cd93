import type { IncomingHttpHeaders } from 'node:http'

/**
 * The value of a header that was sent once and has at most `maxLength` characters. A header that is
 * repeated (where Node keeps the values apart) or longer reads as missing: no browser or CDN sends it.
 */
export function readHeader(
  headers: IncomingHttpHeaders,
  name: string,
  maxLength: number,
): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.length <= maxLength ? value : undefined
}
