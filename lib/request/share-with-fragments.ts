import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CountedCampaigns, Dedupe } from '../counting/dedupe.js'
import { toPageLoadUuid } from '../counting/page-load-uuid.js'
import type { PageLoadIdentity } from '../impression.js'
import { isNavigation } from './navigation.js'
import { type PageLoadCookie, setPageLoadCookie } from './page-load-cookie.js'

/**
 * Sets the page-load cookie, with which the page's fragments find what it has counted.
 *
 * @param hasFleet whether other processes must know the page load by its cookie
 */
export function shareWithFragments(
  option: PageLoadCookie,
  hasFleet: boolean,
  { requestId, canRecur }: PageLoadIdentity,
  campaigns: CountedCampaigns,
  dedupe: Dedupe,
  req: IncomingMessage,
  res: ServerResponse,
  source: unknown,
): void {
  if (!isNavigation(req)) return
  const id = canRecur ? createCookieId(requestId, hasFleet) : requestId
  if (setPageLoadCookie(option, id, req, res, source, dedupe.hasCreated)) {
    dedupe.remember(id, campaigns)
  }
}

/**
 * Random, so that it cannot be guessed, whatever the option `requestId` returns. Processes that share
 * an outbox have no common memory of random ids, so there it is the SHA-256 hash of the request id,
 * without a key: who knows the request id knows the cookie.
 */
function createCookieId(requestId: string, hasFleet: boolean): string {
  return hasFleet ? toPageLoadUuid(requestId) : randomUUID()
}
