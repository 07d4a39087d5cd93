import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a page of this site sent the request. `Sec-Fetch-Site` decides, because scripts cannot set
 * it (https://www.w3.org/TR/fetch-metadata/). Browsers send it only over https and to loopback
 * addresses; without it, `Origin` must name the requested host.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { 'sec-fetch-site': site, origin, host, ':authority': authority } = headers
  if (site !== undefined) return site === 'same-origin'
  if (origin === undefined || !URL.canParse(origin)) return false
  return new URL(origin).host === (host ?? authority)
}
