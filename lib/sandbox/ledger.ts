import { EventEmitter } from 'node:events'
import { BoundedLog } from './bounded-log.js'
import type { SandboxCall } from './sandbox-call.js'

/** When, and by what call, an impression was counted. */
export interface Counted {
  /** By the sandbox's clock, in ms since the epoch. */
  readonly at: number
  /** The `id` of the call. */
  readonly call: number
}

/** Counts since the start or the last `reset()`. They include entries the ledger has dropped. */
export interface LedgerTotals {
  /** Calls that were read completely. */
  readonly calls: number
  /** Impressions that were counted. */
  readonly impressions: number
  /** Calls by the status that was sent, or by `reset`, `cut-off`, `hung`, `aborted`. */
  readonly ends: Readonly<Record<string, number>>
  /** Connections that were reset before a request was read. They have no call. */
  readonly resetConnections: number
}

/** How much a network's ledger keeps. */
export interface LedgerBounds {
  readonly maxCalls: number
  readonly maxImpressions: number
}

export type MutableCall = { -readonly [Field in keyof SandboxCall]: SandboxCall[Field] }

// The sender chooses the sizes of bodies and ids, so a limit on the number of entries is not enough.
const MAX_BYTES = 64 * 1024 * 1024

type LedgerItem = 'call' | 'impression'

interface TotalWaiter {
  readonly item: LedgerItem
  readonly total: number
  resolve(): void
  reject(reason: Error): void
}

/** Everything that one network received. */
export class Ledger<Impression extends Counted> {
  readonly #calls: BoundedLog<MutableCall>
  readonly #impressions: BoundedLog<Impression>
  readonly #events = new EventEmitter().setMaxListeners(0)
  #waiters: TotalWaiter[] = []
  #lastId = 0
  #callCount = 0
  #impressionCount = 0
  #resetConnections = 0
  #ends = new Map<string, number>()

  constructor({ maxCalls, maxImpressions }: LedgerBounds) {
    this.#calls = new BoundedLog<MutableCall>({
      maxEntries: maxCalls,
      maxWeight: MAX_BYTES,
      weigh: ({ path, headers, body }) =>
        path.length + estimateBytes(headers) + estimateBytes(body),
    })
    this.#impressions = new BoundedLog<Impression>({
      maxEntries: maxImpressions,
      maxWeight: MAX_BYTES,
      weigh: estimateBytes,
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

  addCall(call: Omit<SandboxCall, 'id'>): MutableCall {
    this.#lastId += 1
    const added = { id: this.#lastId, ...call }
    this.#calls.push(added)
    this.#callCount += 1
    this.#announce('call', added)
    return added
  }

  addImpressions(call: MutableCall, impressions: readonly Impression[]): void {
    call.counted = impressions.length
    for (const impression of impressions) {
      this.#impressions.push(impression)
      this.#impressionCount += 1
      this.#announce('impression', impression)
    }
  }

  /** Records how a call ended. Has no effect if it has ended already. */
  endCall(call: MutableCall, end: SandboxCall['end']): void {
    if (call.end !== 'pending') return
    call.end = end
    const name = end === 'answered' ? `${call.status}` : end
    this.#ends.set(name, (this.#ends.get(name) ?? 0) + 1)
    this.#events.emit('end', call)
  }

  addConnectionReset(): void {
    this.#resetConnections += 1
    this.#events.emit('connection-reset')
  }

  /** Returns a function that removes the listener. */
  on(event: string, listener: (subject: never) => void): () => void {
    const onEvent = (subject: unknown) => listener(subject as never)
    this.#events.on(event, onEvent)
    return () => void this.#events.off(event, onEvent)
  }

  /** Resolves once this many calls were read, or impressions counted, in total. */
  async waitForTotal(item: LedgerItem, total: number): Promise<void> {
    if (this.#readTotal(item) >= total) return
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ item, total, resolve, reject })
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
    for (const { item, total, reject } of waiters) {
      const reached = this.#readTotal(item)
      reject(new Error(`the sandbox closed after ${reached} of ${total} ${item}s`))
    }
  }

  #readTotal(item: LedgerItem): number {
    return item === 'call' ? this.#callCount : this.#impressionCount
  }

  #announce(item: LedgerItem, subject: SandboxCall | Impression): void {
    this.#events.emit(item, subject)
    if (this.#waiters.length === 0) return
    const isMet = (waiter: TotalWaiter) =>
      waiter.item === item && this.#readTotal(item) >= waiter.total
    const met = this.#waiters.filter(isMet)
    if (met.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !isMet(waiter))
    for (const { resolve } of met) resolve()
  }
}

const OBJECT_BYTES = 64
const FIELD_BYTES = 16

/**
 * The approximate size in memory. Of JSON, it is up to 30 times that of its text: an empty object is
 * two characters.
 */
function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  let bytes = OBJECT_BYTES
  if (Array.isArray(value)) {
    for (const item of value) bytes += FIELD_BYTES + estimateBytes(item)
  } else {
    for (const [name, inner] of Object.entries(value)) {
      bytes += FIELD_BYTES + name.length + estimateBytes(inner)
    }
  }
  return bytes
}
