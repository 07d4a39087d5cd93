/** What a call to a network came to: it decides what becomes of the impressions that it carried. */
export type Verdict =
  /** Counted. `count` where the network tells how many of the batch; the rest is `rejected`. */
  | { readonly kind: 'delivered'; readonly reason: string; readonly count?: number }
  /** Refused for good, all of it. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Refused because of one bad item: the batch is halved until that one stands alone. */
  | { readonly kind: 'split'; readonly reason: string }
  /** Never arrived, or refused for now: not counted, so it is sent again. */
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number }
  /**
   * Refused by a gateway and not in the network's own words, as by a firewall: this batch alone, or
   * everything. The calls around it tell.
   */
  | { readonly kind: 'suspect'; readonly reason: string }
  /** The key or the base URL is wrong: all is kept, said loudly, and probed slowly. */
  | { readonly kind: 'misconfigured'; readonly reason: string }
  /** It may have counted: sent, and the answer was lost. */
  | { readonly kind: 'uncertain'; readonly reason: string }

/** An answer as it came over the wire. */
export interface Answer {
  /** HTTP status code, 200 to 599. */
  readonly status: number
  /** Header values by lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body's text, its first 64 KiB; what arrived of it if it broke off. */
  readonly body: string
  /** When the answer's head arrived, in milliseconds since the Unix epoch. */
  readonly atMs: number
}

/** What a network's own error body says, where it has one. */
export interface NetworkError {
  /** The network's message. */
  readonly message?: string | undefined
  /** The network's own word that the same call may succeed later. */
  readonly retryable?: boolean | undefined
  /** Where the body names a wait that the headers do not. */
  readonly retryAfterMs?: number | undefined
}

/** A gateway spoke, not the network: whether the call had reached it is not known. */
const AMBIGUOUS = new Set([502, 504, 520, 524])

/** RFC 9110 sections 15.5.9 and RFC 8470: the request was not processed and may be repeated. */
const NOT_PROCESSED = new Set([408, 425, 429])

/** One item of a batch is not acceptable, or the batch is too large. */
const SPLITTABLE = new Set([404, 413, 422])

/**
 * What a failed call's status means wherever the network does not say otherwise: RFC 9110's
 * semantics, in the sense of "was it counted?". For a 2xx ask the network's own envelope first.
 *
 * @param word what the network's error body says; leave out what a gateway wrote
 */
export function verdictOnStatus(answer: Answer, word: NetworkError | undefined): Verdict {
  const { status } = answer
  const reason = word?.message ? `HTTP ${status}: ${word.message}` : `HTTP ${status}`

  if (status >= 200 && status < 300) return { kind: 'delivered', reason }
  if (status === 401 || status === 403) return { kind: 'misconfigured', reason }
  if (status < 400) {
    return { kind: 'misconfigured', reason: `${reason}: a redirect; is the base URL right?` }
  }
  if (NOT_PROCESSED.has(status) || word?.retryable) return retry(answer, word, reason)
  if (SPLITTABLE.has(status)) return { kind: 'split', reason }
  if (status < 500) return { kind: 'rejected', reason }
  // A gateway's status in the network's own envelope is the network's word, unless it is a "no".
  if (AMBIGUOUS.has(status) && (word === undefined || word.retryable === false)) {
    return { kind: 'uncertain', reason }
  }
  return retry(answer, word, reason)
}

/** A wait beyond these 31 days is a mistake, and would silence the network until a restart. */
const LONGEST_WAIT_MS = 31 * 86_400_000

function retry(answer: Answer, word: NetworkError | undefined, reason: string): Verdict {
  const waitMs = readRetryAfter(answer) ?? word?.retryAfterMs ?? readReset(answer)
  return waitMs === undefined
    ? { kind: 'retry', reason }
    : { kind: 'retry', reason, retryAfterMs: Math.min(waitMs, LONGEST_WAIT_MS) }
}

/**
 * What a call means that got no answer.
 *
 * @param sent whether the whole request may have reached the network
 */
export function verdictOnError(error: Error & { code?: string }, sent: boolean): Verdict {
  const reason = error.code ? `${error.code}: ${error.message}` : error.message
  // A header or a path that HTTP does not allow: it is no better the next time.
  if (error.code === 'UND_ERR_INVALID_ARG') return { kind: 'split', reason }
  return { kind: sent ? 'uncertain' : 'retry', reason }
}

const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
const RFC_850 = /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/

/**
 * `Retry-After` in milliseconds: seconds, or any of the three forms of an HTTP-date (RFC 9110
 * section 5.6.7), read against the answer's own `Date` so that a wrong clock here does no harm.
 */
export function readRetryAfter(answer: Answer): number | undefined {
  const value = answer.headers['retry-after']
  if (typeof value !== 'string') return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1_000
  const untilMs = parseHttpDate(value)
  if (untilMs === undefined) return undefined
  return Math.max(0, untilMs - readDate(answer))
}

/** How long a quota is exhausted: `RateLimit-Reset`, in milliseconds, on a 429. */
function readReset({ status, headers }: Answer): number | undefined {
  const value = headers['ratelimit-reset']
  if (status !== 429 || typeof value !== 'string' || !/^\d+$/.test(value)) return undefined
  return Number(value) * 1_000
}

/** The network's own time when it answered, in milliseconds; ours where it does not tell. */
export function readDate({ headers, atMs }: Answer): number {
  const sentMs = typeof headers.date === 'string' ? parseHttpDate(headers.date) : undefined
  return sentMs ?? atMs
}

function parseHttpDate(text: string): number | undefined {
  if (IMF_FIXDATE.test(text) || RFC_850.test(text)) return parseDate(text)
  // asctime's form names no zone and means GMT; Date.parse would take it for local time.
  return ASCTIME.test(text) ? parseDate(`${text} GMT`) : undefined
}

/** Only for what looks like a date: Date.parse makes one of almost anything with a number in it. */
function parseDate(text: string): number | undefined {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
