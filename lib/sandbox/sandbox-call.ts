import type { Fault } from './fault.js'

/** Whether a call carried the sandbox's API key. The key itself is never stored. */
export type Authorization = 'right' | 'wrong' | 'missing'

/**
 * How a call ended, as seen by the sandbox.
 *
 * - `pending`: read, not answered yet
 * - `answered`: the whole response was passed to the socket
 * - `reset`, `cut-off`, `hung`: ended by a fault
 * - `aborted`: the caller closed the connection before the response
 */
export type SandboxCallEnd = 'pending' | 'answered' | 'reset' | 'cut-off' | 'hung' | 'aborted'

/** One call that a sandbox network has read completely. */
export interface SandboxCall {
  /** Counts from 1 within its network. */
  readonly id: number
  /** When the call was read, by the sandbox's clock, in ms since the epoch. */
  readonly at: number
  /** The request method, such as `POST`. */
  readonly method: string
  /** The request target, including the query string. The API key is replaced by `[redacted]`. */
  readonly path: string
  /** Names are in lower case. The values of credentials are replaced by `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether the call carried the right key. */
  readonly authorization: Authorization
  /**
   * The parsed JSON, or the text if it is not JSON. `undefined` if it was empty or too large. The
   * API key is replaced by `[redacted]`.
   */
  readonly body: unknown
  /** The size of the body, in bytes. */
  readonly bodyBytes: number
  /** The status that was sent; `null` until then, and if no status was sent. */
  readonly status: number | null
  /** How the call ended. */
  readonly end: SandboxCallEnd
  /** The campaigns of the valid impressions that it carried. Empty if the network refused the call. */
  readonly campaigns: readonly (string | number)[]
  /** How many impressions this call counted. */
  readonly counted: number
  /** The fault that was applied to the call. */
  readonly fault: Fault | null
}
