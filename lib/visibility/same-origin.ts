import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a page of the site's own sent the request. `Sec-Fetch-Site` tells, which no script can
 * set (https://www.w3.org/TR/fetch-metadata/). Browsers send it over https and to loopback; where it
 * is missing, `Origin` must name the host that was asked.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { 'sec-fetch-site': site, origin, host, ':authority': authority } = headers
  if (site !== undefined) return site === 'same-origin'
  if (origin === undefined || !URL.canParse(origin)) return false
  return new URL(origin).host === (host ?? authority)
}
