import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { readBody } from '../request/read-body.js'
import { answerOf, countedOf, send } from './answering.js'
import { type SandboxCall, withoutCredentials } from './call.js'
import { type Fault, FaultList, type FaultOptions, type SetFault } from './fault.js'
import { type Counted, Ledger, type LedgerBounds, type LedgerTotals } from './ledger.js'
import { Listener } from './listener.js'
import type { NetworkRules } from './rules.js'

/** The largest body that is read, in bytes; a larger one is a 413. */
export const MAX_BODY_BYTES = 1024 * 1024

/** One network on loopback. `Impression` is one that it counted. */
export interface SandboxNetwork<Impression extends Counted = Counted> {
  /** The network's origin, such as `http://127.0.0.1:49152`. */
  readonly baseUrl: string
  /** The one key that the network takes. */
  readonly apiKey: string
  /** A copy of the ledger's calls, oldest first. Only calls that were read whole are calls. */
  readonly calls: SandboxCall[]
  /** A copy of the ledger's impressions: every one that counted, oldest first. */
  readonly impressions: Impression[]
  readonly totals: LedgerTotals
  /** The faults that are set, in the order in which they apply. */
  readonly faults: SetFault[]
  /**
   * Sets a fault, and returns what clears it. Several may be set: the first that applies to a call
   * befalls it.
   *
   * @throws {TypeError} that says what is wrong with the fault
   */
  fault(fault: Fault, options?: FaultOptions): () => void
  /** Clears every fault. What hangs already stays hanging. */
  clearFaults(): void
  /** Resolves once `impressions` impressions were counted in all; rejects if the sandbox closes first. */
  received(impressions: number): Promise<void>
  /** Resolves once `calls` calls were read in all; rejects if the sandbox closes first. */
  called(calls: number): Promise<void>
  /** Tells of each call once it is read, of its end, or of each impression; returns what ends that. */
  on(event: 'call' | 'end', listener: (call: SandboxCall) => void): () => void
  on(event: 'impression', listener: (impression: Impression) => void): () => void
  on(event: 'connection-reset', listener: () => void): () => void
  /**
   * Stops listening: connections are refused, as if nothing ran there. Idle connections are closed,
   * calls under way still answered. What it resolves to listens again, on the same port.
   */
  refuse(): Promise<() => Promise<void>>
  readonly refusing: boolean
  /**
   * Closes, by FIN, the kept-alive connections without a call under way. Resolves to their number
   * once the callers have noticed; a call made without waiting may run into the closed connection.
   */
  closeIdleConnections(): Promise<number>
}

/** What the sandbox itself needs of a network, on top of what its users see. */
export class ServedNetwork<Shown extends object> implements SandboxNetwork<Shown & Counted> {
  readonly apiKey: string
  readonly ledger: Ledger<Shown & Counted>
  readonly #rules: NetworkRules<Shown>
  readonly #now: () => number
  readonly #faults = new FaultList()
  readonly #listener: Listener

  constructor(options: {
    readonly apiKey: string
    readonly rules: NetworkRules<Shown>
    readonly now: () => number
    readonly bounds: LedgerBounds
  }) {
    this.apiKey = options.apiKey
    this.#rules = options.rules
    this.#now = options.now
    this.ledger = new Ledger(options.bounds)
    this.#listener = new Listener(
      (request, response) => {
        this.#serve(request, response).catch((error) => {
          response.destroy()
          // A user's own `when` or listener threw: the process, or the test runner, is to hear of it.
          throw error
        })
      },
      (socket) => this.#accept(socket),
    )
  }

  get baseUrl(): string {
    return this.#listener.url
  }

  get calls(): SandboxCall[] {
    return this.ledger.calls()
  }

  get impressions(): (Shown & Counted)[] {
    return this.ledger.impressions()
  }

  get totals(): LedgerTotals {
    return this.ledger.totals()
  }

  get faults(): SetFault[] {
    return this.#faults.list()
  }

  fault(fault: Fault, options?: FaultOptions): () => void {
    const id = this.setFault(fault, options)
    return () => void this.clearFault(id)
  }

  setFault(fault: Fault, options?: FaultOptions): number {
    return this.#faults.add(fault, options).id
  }

  clearFault(id: number): boolean {
    return this.#faults.remove(id)
  }

  clearFaults(): void {
    this.#faults.clear()
  }

  received(impressions: number): Promise<void> {
    return this.ledger.reached('impression', impressions)
  }

  called(calls: number): Promise<void> {
    return this.ledger.reached('call', calls)
  }

  on(event: string, listener: (subject: never) => void): () => void {
    return this.ledger.on(event, listener)
  }

  refuse(): Promise<() => Promise<void>> {
    return this.#listener.refuse()
  }

  get refusing(): boolean {
    return this.#listener.refusing
  }

  closeIdleConnections(): Promise<number> {
    return this.#listener.closeIdle()
  }

  listen(port: number): Promise<void> {
    return this.#listener.listen(port)
  }

  reset(): void {
    this.#faults.clear()
    this.ledger.clear()
  }

  async close(): Promise<void> {
    await this.#listener.close()
    this.ledger.close()
  }

  /** Whether the socket may be read; where it may not, a fault has it. */
  #accept(socket: Socket): boolean {
    const fault = this.#faults.takeUnread()
    if (fault === undefined) return true
    this.ledger.connectionReset()
    if (!fault.delayMs) socket.resetAndDestroy()
    else setTimeout(() => socket.resetAndDestroy(), fault.delayMs).unref()
    return false
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#accept(request.socket)) return
    const { text, bytes, aborted } = await readText(request)
    if (aborted) return
    const path = request.url ?? '/'
    const method = request.method ?? 'GET'
    const authorization = this.#rules.authorize(request.headers)
    const at = this.#now()
    const call = this.ledger.open({
      at,
      method,
      path,
      headers: withoutCredentials(request.headers),
      authorization,
      body: parsed(text),
      bodyBytes: bytes,
      status: null,
      end: 'pending',
      counted: 0,
      fault: null,
    })
    response.once('close', () => this.ledger.end(call, 'aborted'))

    const pathname = path.split('?', 1)[0] ?? path
    const { headers } = request
    const verdict = this.#rules.judge({ method, pathname, headers, authorization, text })
    const fault = this.#faults.takeRead(call)
    if (fault !== undefined) call.fault = fault
    // Before any delay: a network that answers late has counted long since.
    const counted = verdict.shown.slice(0, countedOf(verdict.shown, fault))
    this.ledger.count(
      call,
      counted.map((shown) => ({ at, call: call.id, ...shown })),
    )
    const answer = answerOf(this.#rules, verdict, counted.length, fault)
    const { end, status } = await send(response, answer, fault, () => this.refusing)
    call.status = status
    this.ledger.end(call, end)
  }
}

/** Reads the request to its end, but keeps at most `MAX_BODY_BYTES` of it. */
async function readText(request: IncomingMessage) {
  const body = await readBody(request, MAX_BODY_BYTES)
  if (body.status === 'aborted') return { text: undefined, bytes: 0, aborted: true }
  if (body.status === 'complete') {
    return { text: body.bytes.toString(), bytes: body.bytes.length, aborted: false }
  }
  let bytes = body.bytesRead
  try {
    for await (const chunk of request) bytes += chunk.length
  } catch {
    return { text: undefined, bytes, aborted: true }
  }
  return { text: undefined, bytes, aborted: false }
}

function parsed(text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
