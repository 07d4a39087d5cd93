import type { IncomingMessage } from 'node:http'

/**
 * Whether the request loads a whole page, which starts a page load, and not a fragment of one.
 *
 * Fetch Metadata decides where the browser sends it (https://www.w3.org/TR/fetch-metadata/: recent
 * browsers, over https). Otherwise the headers of htmx and XHR libraries decide, then `Accept`: a
 * navigation asks for HTML, a script for anything. htmx's boosted links and restored history are
 * whole pages, although a script fetches them.
 */
export function isNavigation({ headers }: IncomingMessage): boolean {
  if (headers['hx-boosted'] === 'true') return true
  if (headers['hx-history-restore-request'] === 'true') return true
  if (headers['hx-request'] !== undefined) return false
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest, accept } = headers
  if (mode !== undefined || dest !== undefined) {
    // Chromium 76 to 79 sent only the mode.
    return (
      (mode === undefined || mode === 'navigate') && (dest === undefined || dest === 'document')
    )
  }
  if (headers['x-requested-with'] !== undefined) return false
  return accept === undefined || /\bx?html\b/i.test(accept)
}
