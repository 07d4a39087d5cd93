import type { Reason, ReasonCode } from '../reason.js'
import type { Answer } from './answer.js'
import { LONGEST_DELAY_SECONDS, readQuotaReset, readRetryAfter } from './retry-after.js'

export type { Answer } from './answer.js'

/**
 * What a call to a network came to. It decides what happens to the impressions of the call. `reason`
 * becomes the reason of their outcome: a sentence that a person can act on, without a secret. The
 * answer's status is put before it as its code, unless it begins with a code of its own.
 */
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
  const reason = describeAnswer(status, error)

  if (status >= 200 && status < 300) return { kind: 'delivered', reason }
  if (status < 400) return { kind: 'misconfigured', reason }
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

const ACCEPTED: readonly Reason[] = Array.from(
  { length: 100 },
  (_, index): Reason => `http-${200 + index}: the network accepted it`,
)
const ACCEPTED_REASONS: ReadonlySet<string> = new Set(ACCEPTED)

/** Whether the reason is that of an accepted call, and has no text of the network's own. */
export function isAcceptedReason(reason: string): boolean {
  return ACCEPTED_REASONS.has(reason)
}

/** The status, and the network's own words, or else what the status means. */
function describeAnswer(status: number, error: NetworkError | undefined): Reason {
  if (error?.message) return `http-${status}: ${error.message}`
  if (error) return `http-${status}: the network refused it and did not say why`
  return ACCEPTED[status - 200] ?? `http-${status}: ${describeStatus(status)}`
}

/** What an answer means that is neither accepted nor in the network's own words. */
function describeStatus(status: number): string {
  if (status < 400) return 'a redirect; is the base URL right?'
  if (status === 404 || status === 405)
    return 'there is nothing at this URL; is the base URL right?'
  if (status === 429) return 'too many calls'
  return status < 500 ? 'a gateway or the network refused it' : 'a gateway or the network failed'
}

/** In the network's own words it is about an item; otherwise a router does not know the network. */
function verdictOnNotFound(
  status: number,
  reason: Reason,
  error: NetworkError | undefined,
): Verdict {
  if (!error) return { kind: 'misconfigured', reason }
  return { kind: status === 404 ? 'split' : 'rejected', reason }
}

/** A gateway's error may come after the network has counted, unless it asks to try again. */
function verdictOnServerError(
  answer: Answer,
  error: NetworkError | undefined,
  reason: Reason,
): Verdict {
  const verdict = retry(answer, error, reason)
  const isGateway = GATEWAY_FAILURES.has(answer.status) && error === undefined
  return isGateway && verdict.retryAfterMs === undefined ? { kind: 'uncertain', reason } : verdict
}

/** Of several waits the longest counts, unless it makes no sense. */
function retry(
  answer: Answer,
  error: NetworkError | undefined,
  reason: Reason,
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
  const reason = describeCallError(error, sent)
  // HTTP does not allow a header or the path of this request. Sending it again cannot help.
  if (error.code === 'UND_ERR_INVALID_ARG') return { kind: 'split', reason }
  return { kind: sent ? 'uncertain' : 'retry', reason }
}

/** What the codes of Node and undici mean. */
const ERROR_CODES: ReadonlyMap<string | undefined, ReasonCode> = new Map([
  ['ETIMEDOUT', 'timeout'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_DESTROYED', 'closed'],
  ['UND_ERR_INVALID_ARG', 'unsendable'],
])

const ERROR_SENTENCES: Partial<Record<ReasonCode, string>> = {
  reset: 'the connection broke',
  closed: 'close() ended the call',
  unsendable: 'HTTP does not allow this request',
  unreachable: 'there was no connection',
  'no-answer': 'the answer cannot be read',
}

function describeCallError(
  { code, message }: Error & { readonly code?: string | undefined },
  sent: boolean,
): Reason {
  const reasonCode = ERROR_CODES.get(code) ?? (sent ? 'no-answer' : 'unreachable')
  const sentence = ERROR_SENTENCES[reasonCode]
  const cause = code === undefined || message.includes(code) ? message : `${code}: ${message}`
  return sentence ? `${reasonCode}: ${sentence}: ${cause}` : `${reasonCode}: ${cause}`
}
