import type { IncomingMessage } from 'node:http'

/**
 * Whether the request loads a page of its own, which begins a page load, rather than a fragment of
 * one.
 *
 * Fetch Metadata tells (https://www.w3.org/TR/fetch-metadata/): browsers of the last years send it
 * over https. Where it is missing, htmx's and XHR's own headers tell, and `Accept`: a navigation
 * asks for HTML, a script for anything. htmx's boosted links and restored history are pages,
 * though a script fetches them.
 */
export function isNavigation({ headers }: IncomingMessage): boolean {
  if (headers['hx-boosted'] === 'true') return true
  if (headers['hx-history-restore-request'] === 'true') return true
  if (headers['hx-request'] !== undefined) return false
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest, accept } = headers
  if (mode !== undefined || dest !== undefined) {
    // Chromium 76 to 79 sent the mode alone.
    return (
      (mode === undefined || mode === 'navigate') && (dest === undefined || dest === 'document')
    )
  }
  if (headers['x-requested-with'] !== undefined) return false
  return accept === undefined || /\bx?html\b/i.test(accept)
}
