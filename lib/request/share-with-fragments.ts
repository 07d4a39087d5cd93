import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CountedCampaigns, Dedupe } from '../counting/dedupe.js'
import type { PageLoadIdentity } from '../impression.js'
import { isNavigation } from './navigation.js'
import { type PageLoadCookie, setPageLoadCookie } from './page-load-cookie.js'

/**
 * Sets the page-load cookie, by which the page's fragments find what it has counted.
 *
 * @param option `undefined` if the option `pageLoadCookie` is off
 */
export function shareWithFragments(
  option: PageLoadCookie | undefined,
  { requestId, canRecur }: PageLoadIdentity,
  campaigns: CountedCampaigns,
  dedupe: Dedupe,
  req: IncomingMessage,
  res: ServerResponse,
  source: unknown,
): void {
  if (option === undefined || !isNavigation(req)) return
  // Always random, so that it cannot be guessed, whatever the option `requestId` returns.
  const id = canRecur ? randomUUID() : requestId
  if (setPageLoadCookie(option, id, req, res, source, dedupe.hasCreated)) {
    dedupe.remember(id, campaigns)
  }
}
