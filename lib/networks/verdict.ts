import type { Answer } from './answer.js'
import { LONGEST_DELAY_SECONDS, readQuotaReset, readRetryAfter } from './retry-after.js'

export type { Answer } from './answer.js'

/** What a call to a network came to. It decides what happens to the impressions of the call. */
export type Verdict =
  /** Counted. If the network reports a `count` lower than what was sent, the rest is `rejected`. */
  | { readonly kind: 'delivered'; readonly reason: string; readonly count?: number }
  /** The whole batch was refused for good. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Refused because of one bad item. The batch is halved until that item is alone. */
  | { readonly kind: 'split'; readonly reason: string }
  /** Never arrived, or refused for now. Not counted, so it is sent again. */
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number }
  /**
   * Refused, but not in the network's own words: by a firewall, for example. The calls around it
   * tell whether that concerns this batch alone or every call.
   */
  | { readonly kind: 'suspect'; readonly reason: string }
  /** The key or the base URL is wrong. Everything stays queued, and the network is probed slowly. */
  | { readonly kind: 'misconfigured'; readonly reason: string }
  /** It may have counted: it was sent, and the answer was lost. */
  | { readonly kind: 'uncertain'; readonly reason: string }

/** What the error body of a network says, if the network sent one. */
export interface NetworkError {
  /** The network's message. */
  readonly message?: string | undefined
  /** Whether the network says that the same call may succeed later. */
  readonly retryable?: boolean | undefined
  /** How long to wait, if the body says so. The headers take precedence. */
  readonly retryAfterMs?: number | undefined
}

/**
 * Statuses that gateways send after the call may have reached the network: RFC 9110 15.6.3 to
 * 15.6.5, and Cloudflare's 520 and 524.
 */
const GATEWAY_FAILURES = new Set([502, 503, 504, 520, 524])

/** The request was not processed and may be repeated: RFC 9110 15.5.9, RFC 8470, RFC 6585. */
const NOT_PROCESSED = new Set([408, 425, 429])

/** One item of the batch is not acceptable, or the batch is too large. */
const SPLITTABLE = new Set([413, 422])

/**
 * What a status means by RFC 9110, asking one question: was the call counted? Use it wherever the
 * network does not say more. A 2xx is `delivered`: check the network's own body first.
 *
 * @param error what the network's error body says; `undefined` if a gateway wrote the body
 */
export function verdictOnStatus(answer: Answer, error: NetworkError | undefined): Verdict {
  const { status } = answer
  const reason = error?.message ? `HTTP ${status}: ${error.message}` : `HTTP ${status}`

  if (status >= 200 && status < 300) return { kind: 'delivered', reason }
  if (status < 400) {
    return { kind: 'misconfigured', reason: `${reason}: a redirect; is the base URL right?` }
  }
  if (status === 401 || status === 403) {
    return { kind: error ? 'misconfigured' : 'suspect', reason }
  }
  if (error?.retryable) return retry(answer, error, reason)
  if (SPLITTABLE.has(status)) return { kind: 'split', reason }
  if (status === 404 || status === 405) return verdictOnNotFound(status, reason, error)
  if (error?.retryable === false) return { kind: 'rejected', reason }
  if (NOT_PROCESSED.has(status)) return retry(answer, error, reason)
  if (status < 500) return { kind: 'rejected', reason }
  return verdictOnServerError(answer, error, reason)
}

/** In the network's own words it is about an item; otherwise a router does not know the network. */
function verdictOnNotFound(
  status: number,
  reason: string,
  error: NetworkError | undefined,
): Verdict {
  if (!error) return { kind: 'misconfigured', reason: `${reason}: is the base URL right?` }
  return { kind: status === 404 ? 'split' : 'rejected', reason }
}

/** A gateway's error may come after the network has counted, unless it asks to try again. */
function verdictOnServerError(
  answer: Answer,
  error: NetworkError | undefined,
  reason: string,
): Verdict {
  const verdict = retry(answer, error, reason)
  const isGateway = GATEWAY_FAILURES.has(answer.status) && error === undefined
  return isGateway && verdict.retryAfterMs === undefined ? { kind: 'uncertain', reason } : verdict
}

/** Of several waits the longest counts, unless it makes no sense. */
function retry(
  answer: Answer,
  error: NetworkError | undefined,
  reason: string,
): Extract<Verdict, { kind: 'retry' }> {
  const waits = [readRetryAfter(answer), error?.retryAfterMs, readQuotaReset(answer)].filter(
    (waitMs) => waitMs !== undefined && waitMs <= LONGEST_DELAY_SECONDS * 1_000,
  )
  const retryAfterMs = Math.max(...waits.map(Number))
  return waits.length === 0 ? { kind: 'retry', reason } : { kind: 'retry', reason, retryAfterMs }
}

/**
 * What a call without an answer means.
 *
 * @param sent whether the whole request may have reached the network
 */
export function verdictOnError(
  error: Error & { readonly code?: string | undefined },
  sent: boolean,
): Verdict {
  const reason = error.code ? `${error.code}: ${error.message}` : error.message
  // HTTP does not allow a header or the path of this request. Sending it again cannot help.
  if (error.code === 'UND_ERR_INVALID_ARG') return { kind: 'split', reason }
  return { kind: sent ? 'uncertain' : 'retry', reason }
}
