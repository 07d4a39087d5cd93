import { z } from 'zod'
import { describeProblems } from './json-input.js'

/**
 * Something that goes wrong with a call. A field that is not set leaves that part of the response
 * unchanged: `{ delayMs: 500 }` sends the normal response 500 ms late.
 */
export interface Fault {
  /**
   * The status of the response, 200 to 599. Unless `body` is set, an error status comes with the
   * network's own error body, and a 502 or 504 with a gateway's HTML page.
   */
  readonly status?: number | undefined
  /** Response headers to set, by name. `null` removes a header that would be sent otherwise. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined
  /** The response body. A string is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** How long to wait before the response or the reset, in ms of real time. */
  readonly delayMs?: number | undefined
  /**
   * Resets the connection (TCP RST).
   *
   * - `before-read`: resets a new connection when it is accepted, before any byte is read. A
   *   kept-alive connection is reset when its next request arrives. No call is recorded.
   * - `after-read`: after the whole request was read
   * - `mid-answer`: after the response head and half of the body were sent
   */
  readonly reset?: 'before-read' | 'after-read' | 'mid-answer' | undefined
  /** Ends the response early with a FIN: the body is shorter than its `Content-Length`. */
  readonly cutOff?: boolean | undefined
  /** Reads the request and never answers. The socket stays open. */
  readonly hang?: boolean | undefined
  /** Sends these bytes instead of an HTTP response, then a FIN. */
  readonly raw?: string | undefined
  /**
   * Whether the network counts the impressions despite the fault. A number counts only the first
   * impressions of a batch, and Closient's `count` reports that number. A request that the network
   * rejects never counts.
   *
   * By default a call with a response counts if its status is a 2xx. A call without a status
   * (`after-read`, `hang`, `raw`) counts, which is the worst case for a caller that sends again.
   */
  readonly counts?: boolean | number | undefined
}

export const RESPONSE_STATUS = z.int().min(200).max(599)
export const RESPONSE_HEADERS = {
  name: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name')
    // Node.js throws when it sends one, because no trailers follow.
    .regex(/^(?!trailer$)/i, 'is not a header that the sandbox can send'),
  value: z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'is not a header value'),
}

const FAULT_SCHEMA = z.strictObject({
  status: RESPONSE_STATUS.optional(),
  headers: z.record(RESPONSE_HEADERS.name, RESPONSE_HEADERS.value.nullable()).optional(),
  body: z.unknown().optional(),
  delayMs: z.number().min(0).max(2_147_483_647).optional(),
  reset: z.enum(['before-read', 'after-read', 'mid-answer']).optional(),
  cutOff: z.boolean().optional(),
  hang: z.boolean().optional(),
  raw: z.string().optional(),
  counts: z.union([z.boolean(), z.int().min(0)]).optional(),
})

/**
 * Validates a fault, which may come from outside over HTTP. Header names become lower case.
 *
 * @throws {TypeError} that names each wrong field and what it should be
 */
export function parseFault(value: unknown): Fault {
  const result = FAULT_SCHEMA.safeParse(value)
  if (!result.success) {
    throw new TypeError(`invalid fault: ${describeProblems(result.error, 'fault')}`)
  }
  const fault = result.data
  rejectConflictingFields(fault)
  if (fault.headers === undefined) return fault
  const headers = Object.entries(fault.headers).map(([name, text]) => [name.toLowerCase(), text])
  return { ...fault, headers: Object.fromEntries(headers) }
}

function rejectConflictingFields(fault: Fault): void {
  const ends = [fault.reset, fault.cutOff, fault.hang, fault.raw].filter(
    (end) => end !== undefined && end !== false,
  )
  if (ends.length > 1) {
    throw new TypeError('invalid fault: set at most one of reset, cutOff, hang and raw')
  }
  if (fault.reset !== 'before-read') return
  const { reset: _reset, delayMs: _delayMs, ...others } = fault
  const [other] = Object.keys(others)
  if (other !== undefined) {
    throw new TypeError(`invalid fault: ${other} cannot be combined with reset: 'before-read'`)
  }
}
