import type { IncomingHttpHeaders } from 'node:http'
import type { Fault } from './fault.js'

/** Whether a call bore the sandbox's API key. The key itself is kept nowhere. */
export type Authorization = 'right' | 'wrong' | 'missing'

/**
 * How a call ended, as the sandbox saw it.
 *
 * - `pending`: read, and not answered yet
 * - `answered`: the whole answer was handed to the socket
 * - `reset`, `cut-off`, `hung`: a fault's doing
 * - `aborted`: the caller hung up before the answer
 */
export type CallEnd = 'pending' | 'answered' | 'reset' | 'cut-off' | 'hung' | 'aborted'

/** One call that a network's sandbox has read. */
export interface SandboxCall {
  /** Counts from 1 within its network. */
  readonly id: number
  /** By the sandbox's clock, in ms since the epoch. */
  readonly at: number
  readonly method: string
  /** The request target, with its query. */
  readonly path: string
  /** Names in lower case; the values of credentials read `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>
  readonly authorization: Authorization
  /** The parsed JSON; the text where it is not JSON; `undefined` where there was none, or too much of it. */
  readonly body: unknown
  readonly bodyBytes: number
  /** The status that was sent; `null` before the answer, and where there was none. */
  readonly status: number | null
  readonly end: CallEnd
  /** How many impressions this call counted. */
  readonly counted: number
  /** The fault that befell it. */
  readonly fault: Fault | null
}

/** The value that stands in the ledger for a credential's. */
export const REDACTED = '[redacted]'

const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'cookie',
])

/**
 * The headers as the ledger keeps them: a credential's value is replaced whatever it is, since a
 * wrong key may well be the real one of a program that was pointed at the sandbox.
 */
export function withoutCredentials(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    kept[name] = CREDENTIALS.has(name) ? REDACTED : Array.isArray(value) ? value.join(', ') : value
  }
  return kept
}
