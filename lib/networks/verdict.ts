import type { Answer } from './answer.js'
import { readQuotaReset, readRetryAfter } from './retry-after.js'

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

/** Statuses of a gateway. They do not tell whether the network had processed the call. */
const AMBIGUOUS = new Set([502, 504, 520, 524])

/** The request was not processed and may be repeated: RFC 9110 15.5.9, RFC 8470, RFC 6585. */
const NOT_PROCESSED = new Set([408, 425, 429])

/** One item of the batch is not acceptable, or the batch is too large. */
const SPLITTABLE = new Set([404, 413, 422])

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
  if (status === 401 || status === 403) return { kind: 'misconfigured', reason }
  if (status < 400) {
    return { kind: 'misconfigured', reason: `${reason}: a redirect; is the base URL right?` }
  }
  if (NOT_PROCESSED.has(status) || error?.retryable) return retry(answer, error, reason)
  if (SPLITTABLE.has(status)) return { kind: 'split', reason }
  if (status < 500) return { kind: 'rejected', reason }
  // In the network's own error body, a gateway's status is as clear as any other 5xx, unless the
  // body says not to retry.
  if (AMBIGUOUS.has(status) && (error === undefined || error.retryable === false)) {
    return { kind: 'uncertain', reason }
  }
  return retry(answer, error, reason)
}

/** 31 days. A longer wait is a mistake, and would silence the network until a restart. */
const MAX_WAIT_MS = 31 * 86_400_000

function retry(answer: Answer, error: NetworkError | undefined, reason: string): Verdict {
  const waitMs = readRetryAfter(answer) ?? error?.retryAfterMs ?? readQuotaReset(answer)
  return waitMs === undefined
    ? { kind: 'retry', reason }
    : { kind: 'retry', reason, retryAfterMs: Math.min(waitMs, MAX_WAIT_MS) }
}

/**
 * What a call without an answer means.
 *
 * @param sent whether the whole request may have reached the network
 */
export function verdictOnError(error: Error & { code?: string }, sent: boolean): Verdict {
  const reason = error.code ? `${error.code}: ${error.message}` : error.message
  // HTTP does not allow a header or the path of this request. Sending it again cannot help.
  if (error.code === 'UND_ERR_INVALID_ARG') return { kind: 'split', reason }
  return { kind: sent ? 'uncertain' : 'retry', reason }
}
