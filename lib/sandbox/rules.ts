import type { IncomingHttpHeaders } from 'node:http'
import type { Authorization } from './call.js'

/** A request as a network's rules judge it: read whole, nothing decided. */
export interface Inquiry {
  readonly method: string
  /** Without its query. */
  readonly pathname: string
  readonly headers: IncomingHttpHeaders
  readonly authorization: Authorization
  /** `undefined`: more bytes than the sandbox reads. */
  readonly text: string | undefined
}

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Verdict<Shown> {
  /** What the network counts: none, unless the answer is a 2xx. */
  readonly shown: readonly Shown[]
  /** The answer, once that many of `shown` have been counted. */
  answer(counted: number): Answer
}

/**
 * What one network's document says, apart from sockets: it judges requests, and words errors.
 * `Shown` is what one impression of this network tells.
 */
export interface NetworkRules<Shown> {
  authorize(headers: IncomingHttpHeaders): Authorization
  judge(inquiry: Inquiry): Verdict<Shown>
  /**
   * What a caller gets with an error status that the request itself gives no reason for: the
   * network's own words, or a gateway's where the status is one. `retryAfter` is the `Retry-After`
   * header that the answer is to bear: `null` for none, `undefined` for the network's own.
   */
  problem(status: number, retryAfter?: string | null): Answer
}

/** Whether a `Content-Type` names JSON; its parameters are of no account. */
export function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json'
}

/** Whether a parsed JSON value is an object with fields to read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** How a wrong value is spoken of in an error: its kind, never its content, which may be huge. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/**
 * A gateway's page, as a proxy before a network answers 502 and 504: it knows nothing of the
 * network's envelope, and does not say whether the request got through.
 */
export function gatewayPage(status: 502 | 504): Answer {
  const title = status === 502 ? '502 Bad Gateway' : '504 Gateway Time-out'
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  }
}
