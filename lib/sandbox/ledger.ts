import { EventEmitter } from 'node:events'
import { BoundedLog } from './bounded-log.js'
import type { SandboxCall } from './call.js'

/** Where one impression came from. */
export interface Counted {
  /** By the sandbox's clock, in ms since the epoch. */
  readonly at: number
  /** The `id` of the call that brought it. */
  readonly call: number
}

/** Counts of everything since the start, or since `reset()`: they outlive what the ledger forgets. */
export interface LedgerTotals {
  readonly calls: number
  readonly impressions: number
  /** How calls ended: by the status sent, or by `reset`, `cut-off`, `hung`, `aborted`. */
  readonly ends: Readonly<Record<string, number>>
  /** Connections that were reset unread, and brought no call for it. */
  readonly resetConnections: number
}

/** How much a network's ledger keeps. */
export interface LedgerBounds {
  /** @default 100_000 */
  readonly maxCalls: number
  /** @default 500_000 */
  readonly maxImpressions: number
}

export type MutableCall = { -readonly [Field in keyof SandboxCall]: SandboxCall[Field] }

// Bodies and ids are the sender's to choose, so counting entries alone would bound nothing.
const MAX_BYTES = 64 * 1024 * 1024

interface Waiter {
  readonly event: 'call' | 'impression'
  readonly total: number
  resolve(): void
  reject(reason: Error): void
}

/** All that one network received. */
export class Ledger<Impression extends Counted> {
  readonly #calls: BoundedLog<MutableCall>
  readonly #impressions: BoundedLog<Impression>
  readonly #events = new EventEmitter().setMaxListeners(0)
  #waiters: Waiter[] = []
  #lastId = 0
  #callCount = 0
  #impressionCount = 0
  #resetConnections = 0
  #ends = new Map<string, number>()

  constructor({ maxCalls, maxImpressions }: LedgerBounds) {
    this.#calls = new BoundedLog<MutableCall>({
      maxEntries: maxCalls,
      maxWeight: MAX_BYTES,
      weigh: (call) => call.bodyBytes + call.path.length,
    })
    this.#impressions = new BoundedLog<Impression>({
      maxEntries: maxImpressions,
      maxWeight: MAX_BYTES,
      weigh: weightOf,
    })
  }

  calls(latest?: number): SandboxCall[] {
    return this.#calls.latest(latest)
  }

  impressions(latest?: number): Impression[] {
    return this.#impressions.latest(latest)
  }

  totals(): LedgerTotals {
    return {
      calls: this.#callCount,
      impressions: this.#impressionCount,
      ends: Object.fromEntries(this.#ends),
      resetConnections: this.#resetConnections,
    }
  }

  open(call: Omit<SandboxCall, 'id'>): MutableCall {
    this.#lastId += 1
    const opened = { id: this.#lastId, ...call }
    this.#calls.push(opened)
    this.#callCount += 1
    this.#tell('call', opened)
    return opened
  }

  count(call: MutableCall, impressions: readonly Impression[]): void {
    call.counted = impressions.length
    for (const impression of impressions) {
      this.#impressions.push(impression)
      this.#impressionCount += 1
      this.#tell('impression', impression)
    }
  }

  end(call: MutableCall, end: SandboxCall['end']): void {
    if (call.end !== 'pending') return
    call.end = end
    const name = end === 'answered' ? `${call.status}` : end
    this.#ends.set(name, (this.#ends.get(name) ?? 0) + 1)
    this.#events.emit('end', call)
  }

  connectionReset(): void {
    this.#resetConnections += 1
    this.#events.emit('connection-reset')
  }

  on(event: string, listener: (subject: never) => void): () => void {
    const heard = (subject: unknown) => listener(subject as never)
    this.#events.on(event, heard)
    return () => void this.#events.off(event, heard)
  }

  /** Resolves once so many calls were read, or impressions counted. */
  async reached(event: 'call' | 'impression', total: number): Promise<void> {
    if (this.#countOf(event) >= total) return
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ event, total, resolve, reject })
    })
  }

  clear(): void {
    this.#calls.clear()
    this.#impressions.clear()
    this.#lastId = 0
    this.#callCount = 0
    this.#impressionCount = 0
    this.#resetConnections = 0
    this.#ends.clear()
  }

  close(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { event, total, reject } of waiters) {
      const had = this.#countOf(event)
      reject(new Error(`the sandbox closed after ${had} of ${total} ${event}s`))
    }
  }

  #countOf(event: 'call' | 'impression'): number {
    return event === 'call' ? this.#callCount : this.#impressionCount
  }

  #tell(event: 'call' | 'impression', subject: SandboxCall | Impression): void {
    this.#events.emit(event, subject)
    if (this.#waiters.length === 0) return
    const met = (waiter: Waiter) => waiter.event === event && this.#countOf(event) >= waiter.total
    const ready = this.#waiters.filter(met)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !met(waiter))
    for (const { resolve } of ready) resolve()
  }
}

function weightOf(impression: object): number {
  let weight = 0
  for (const value of Object.values(impression)) {
    weight += typeof value === 'string' ? value.length : 8
  }
  return weight
}
