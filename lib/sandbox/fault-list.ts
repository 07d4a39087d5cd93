import { type Fault, parseFault } from './fault.js'
import type { SandboxCall } from './sandbox-call.js'

/** Which calls a fault applies to, and how many. */
export interface FaultOptions {
  /** How many calls (connections, for `before-read`) the fault applies to. @default Infinity */
  readonly times?: number
  /** Applies the fault only to calls for which this returns true. Not allowed with `before-read`. */
  readonly when?: (call: SandboxCall) => boolean
}

/** A fault that is set. */
export interface SetFault {
  /** Counts from 1 within its network. */
  readonly id: number
  /** What happens to the calls. */
  readonly fault: Fault
  /** How many more calls it applies to. */
  readonly left: number
}

interface FaultEntry {
  readonly id: number
  readonly fault: Fault
  left: number
  readonly when: ((call: SandboxCall) => boolean) | undefined
}

/** The faults of one network. The first one in order of insertion that matches a call is used. */
export class FaultList {
  #entries: FaultEntry[] = []
  #lastId = 0

  /** @throws {TypeError} if the fault is invalid, or the options do not fit it */
  add(value: Fault, { times = Number.POSITIVE_INFINITY, when }: FaultOptions = {}): SetFault {
    const fault = parseFault(value)
    if (!(times === Number.POSITIVE_INFINITY || (Number.isSafeInteger(times) && times > 0))) {
      throw new TypeError('times must be a positive integer or Infinity')
    }
    if (when !== undefined && fault.reset === 'before-read') {
      throw new TypeError("when cannot be combined with reset: 'before-read': no call is read")
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

  /** Uses up one application of a `before-read` fault. */
  takeForConnection(): Fault | undefined {
    return this.#takeFirst(({ fault }) => fault.reset === 'before-read')
  }

  /** Uses up one application of the fault that matches a call that was read. */
  takeForCall(call: SandboxCall): Fault | undefined {
    return this.#takeFirst(
      ({ fault, when }) => fault.reset !== 'before-read' && (when === undefined || when(call)),
    )
  }

  #takeFirst(matches: (entry: FaultEntry) => boolean): Fault | undefined {
    const entry = this.#entries.find(matches)
    if (entry === undefined) return undefined
    entry.left -= 1
    if (entry.left === 0) this.remove(entry.id)
    return entry.fault
  }
}
