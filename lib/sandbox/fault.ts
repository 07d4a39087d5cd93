import { z } from 'zod'
import type { SandboxCall } from './call.js'

/**
 * Something that goes wrong with a call. What a fault does not say stays as the network would have
 * it: `{ delayMs: 500 }` is the usual answer, late.
 */
export interface Fault {
  /**
   * The answer's status, 200 to 599. Unless `body` says otherwise, an error comes in the network's
   * own words, and a 502 or 504 as a gateway's HTML page.
   */
  readonly status?: number | undefined
  /** Headers of the answer, by name; `null` takes one away that would be there. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined
  /** The answer's body: a string as it is, anything else as JSON. */
  readonly body?: unknown
  /** How long the answer, or the reset, lets itself be waited for, in ms of real time. */
  readonly delayMs?: number | undefined
  /**
   * A TCP reset (RST).
   *
   * - `before-read`: of a new connection as it is accepted, before one byte was read; of one that
   *   was kept alive, when a request comes, before that is looked at. There is no call
   * - `after-read`: once the request was read whole
   * - `mid-answer`: after the head and half of the body were sent
   */
  readonly reset?: 'before-read' | 'after-read' | 'mid-answer' | undefined
  /** The answer ends early, by FIN: `Content-Length` promises more than comes. */
  readonly cutOff?: boolean | undefined
  /** The request is read and never answered; the socket stays open. */
  readonly hang?: boolean | undefined
  /** These bytes instead of an HTTP answer, and then FIN. */
  readonly raw?: string | undefined
  /**
   * Whether the network counts the impressions all the same; a number counts the first so many of
   * a batch, and Closient's `count` says so. A request that is refused anyway never counts.
   *
   * By default an answered call counts if its status is a 2xx, and one that gets no whole status
   * (`after-read`, `hang`, `raw`) counts: for a caller that would send again it is the worst case.
   */
  readonly counts?: boolean | number | undefined
}

/** How often a fault befalls, and whom. */
export interface FaultOptions {
  /** After so many calls (connections, for `before-read`) the fault is over. @default Infinity */
  readonly times?: number
  /** Only calls of which this is true. Not with `before-read`, where nothing is known of the call. */
  readonly when?: (call: SandboxCall) => boolean
}

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name')
const headerValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'is not a header value')

const shape = z.strictObject({
  status: z.int().min(200).max(599).optional(),
  headers: z.record(headerName, headerValue.nullable()).optional(),
  body: z.unknown().optional(),
  delayMs: z.number().min(0).max(2_147_483_647).optional(),
  reset: z.enum(['before-read', 'after-read', 'mid-answer']).optional(),
  cutOff: z.boolean().optional(),
  hang: z.boolean().optional(),
  raw: z.string().optional(),
  counts: z.union([z.boolean(), z.int().min(0)]).optional(),
})

/**
 * The fault, checked: faults come over HTTP as well.
 *
 * @throws {TypeError} that names each wrong field and what it should be
 */
export function parseFault(value: unknown): Fault {
  const parsed = shape.safeParse(value)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'the fault'}: ${message}`,
    )
    throw new TypeError(`not a fault: ${problems.join('; ')}`)
  }
  const fault = parsed.data
  const ends = [fault.reset, fault.cutOff, fault.hang, fault.raw].filter(
    (end) => end !== undefined && end !== false,
  )
  if (ends.length > 1) {
    throw new TypeError('not a fault: of reset, cutOff, hang and raw, one at most')
  }
  if (fault.reset === 'before-read') {
    const { reset: _, delayMs: __, ...rest } = fault
    const [other] = Object.keys(rest)
    if (other !== undefined) throw new TypeError(`not a fault: ${other} needs a call that was read`)
  }
  if (fault.headers === undefined) return fault
  const lowered = Object.entries(fault.headers).map(([name, value]) => [name.toLowerCase(), value])
  return { ...fault, headers: Object.fromEntries(lowered) }
}

/** One fault that was set. */
export interface SetFault {
  readonly id: number
  readonly fault: Fault
  /** How many more calls it befalls. */
  readonly left: number
}

interface Entry {
  readonly id: number
  readonly fault: Fault
  left: number
  readonly when: ((call: SandboxCall) => boolean) | undefined
}

/** The faults of one network, in the order in which they were set: the first that applies, does. */
export class FaultList {
  #entries: Entry[] = []
  #lastId = 0

  /** @throws {TypeError} when fault and options do not go together */
  add(value: Fault, { times = Number.POSITIVE_INFINITY, when }: FaultOptions = {}): SetFault {
    const fault = parseFault(value)
    if (!(times === Number.POSITIVE_INFINITY || (Number.isSafeInteger(times) && times > 0))) {
      throw new TypeError('times must be a positive integer, or Infinity')
    }
    if (when !== undefined && fault.reset === 'before-read') {
      throw new TypeError('when: nothing is known of a call that was not read')
    }
    this.#lastId += 1
    const entry = { id: this.#lastId, fault, left: times, when }
    this.#entries.push(entry)
    return entry
  }

  remove(id: number): boolean {
    const before = this.#entries.length
    this.#entries = this.#entries.filter((entry) => entry.id !== id)
    return this.#entries.length < before
  }

  clear(): void {
    this.#entries = []
  }

  list(): SetFault[] {
    return this.#entries.map(({ id, fault, left }) => ({ id, fault, left }))
  }

  /** The fault that befalls a connection of which nothing is read. */
  takeUnread(): Fault | undefined {
    return this.#take(({ fault }) => fault.reset === 'before-read')
  }

  /** The fault that befalls a call that was read. */
  takeRead(call: SandboxCall): Fault | undefined {
    return this.#take(
      ({ fault, when }) => fault.reset !== 'before-read' && (when === undefined || when(call)),
    )
  }

  #take(applies: (entry: Entry) => boolean): Fault | undefined {
    const entry = this.#entries.find(applies)
    if (entry === undefined) return undefined
    entry.left -= 1
    if (entry.left === 0) this.remove(entry.id)
    return entry.fault
  }
}
