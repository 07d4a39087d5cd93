import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { callOption, FAILED } from '../check-options.js'
import { copyText, type PageLoadIdentity } from '../impression.js'
import type { Log } from '../logger.js'
import { isNavigation } from './navigation.js'
import { type PageLoadCookie, readPageLoadCookie } from './page-load-cookie.js'

export interface RequestIdOptions<Source> {
  readonly requestId: ((source: Source) => string | undefined) | undefined
  /** `undefined` if the option is off. */
  readonly pageLoadCookie: PageLoadCookie | undefined
}

/** The page load: for a fragment from its cookie, else from the option `requestId`, else a new one. */
export function identifyPageLoad<Source>(
  req: IncomingMessage,
  source: Source,
  { requestId, pageLoadCookie }: RequestIdOptions<Source>,
  log: Log,
  isKnown: (id: string) => boolean,
): PageLoadIdentity {
  if (pageLoadCookie !== undefined && !isNavigation(req)) {
    const id = readPageLoadCookie(pageLoadCookie, req, source, isKnown)
    if (id !== undefined) return { requestId: copyText(id), canRecur: true }
  }
  if (requestId) {
    const id = callOption('requestId', requestId, source, log)
    if (isRequestId(id)) return { requestId: copyText(id), canRecur: true }
    if (id !== FAILED) {
      log.warn(
        'option-failed requestId',
        'the option requestId: expected 1 to 200 visible ASCII characters; a random id is used instead',
      )
    }
  }
  // Node.js puts a UUID together from many small strings, all of which it would keep alive.
  return { requestId: copyText(randomUUID()), canRecur: false }
}

const MAX_REQUEST_ID_CHARACTERS = 200
const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** Whether `value` can name a page load. It becomes a key, and a client may have chosen it. */
function isRequestId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= MAX_REQUEST_ID_CHARACTERS &&
    VISIBLE_ASCII.test(value)
  )
}
