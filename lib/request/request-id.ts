import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { callOption, FAILED } from '../check-options.js'
import type { Log } from '../logger.js'
import { isNavigation } from './navigation.js'
import { readPageLoadCookie } from './page-load-cookie.js'

/** Which page load a request belongs to. */
export interface PageLoadIdentity {
  /** Names the page load. */
  readonly requestId: string
  /** Whether a later request can bear the same id. */
  readonly canRecur: boolean
}

export interface RequestIdOptions<Source> {
  readonly requestId: ((source: Source) => string | undefined) | undefined
  /** The cookie's name. */
  readonly pageLoadCookie: string | undefined
}

/** The page load that a fragment's cookie names, or the user's option, or a fresh one. */
export function identifyPageLoad<Source>(
  req: IncomingMessage,
  source: Source,
  { requestId, pageLoadCookie }: RequestIdOptions<Source>,
  log: Log,
): PageLoadIdentity {
  if (pageLoadCookie !== undefined && !isNavigation(req)) {
    const id = readPageLoadCookie(pageLoadCookie, req.headers)
    if (id !== undefined) return { requestId: id, canRecur: true }
  }
  if (requestId) {
    const id = callOption('requestId', requestId, source, log)
    if (isRequestId(id)) return { requestId: id, canRecur: true }
    if (id !== FAILED) {
      log.warn(
        'option requestId',
        'the option requestId: expected 1 to 200 visible ASCII characters; a fresh id is used',
      )
    }
  }
  return { requestId: randomUUID(), canRecur: false }
}

const MAX_REQUEST_ID_CHARACTERS = 200
const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** Whether `value` may name a page load: an id may stem from a client, and becomes a key. */
function isRequestId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= MAX_REQUEST_ID_CHARACTERS &&
    VISIBLE_ASCII.test(value)
  )
}
