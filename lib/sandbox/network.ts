import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { readBody } from '../request/read-body.js'
import { buildResponse, limitCounted } from './build-response.js'
import type { Fault } from './fault.js'
import { FaultList, type FaultOptions, type SetFault } from './fault-list.js'
import {
  type Counted,
  Ledger,
  type LedgerBounds,
  type LedgerTotals,
  type MutableCall,
} from './ledger.js'
import { LoopbackServer } from './loopback-server.js'
import type { CampaignFields, NetworkRules, RequestDecision } from './network-rules.js'
import type { RateWindowState } from './rate-windows.js'
import {
  createKeyRedactor,
  type KeyRedactor,
  redactBody,
  redactFields,
  redactHeaders,
} from './redact-key.js'
import type { SandboxCall } from './sandbox-call.js'
import { sendResponse } from './send-response.js'

/** The largest body that is read, in bytes. A larger one gets a 413. */
export const MAX_BODY_BYTES = 1024 * 1024

/** One network on loopback. `Impression` is an impression that it counted. */
export interface SandboxNetwork<Impression extends Counted = Counted> {
  /** The network's origin, such as `http://127.0.0.1:49152`. */
  readonly baseUrl: string
  /** The only key that the network accepts. */
  readonly apiKey: string
  /** A copy of the calls in the ledger, oldest first. Only calls that were read completely. */
  readonly calls: SandboxCall[]
  /** A copy of the counted impressions in the ledger, oldest first. */
  readonly impressions: Impression[]
  /** How much the network has received, beyond what the ledger keeps. */
  readonly totals: LedgerTotals
  /** The faults that are set, in the order in which they are tried. */
  readonly faults: SetFault[]
  /**
   * Sets a fault. Returns a function that clears it. If several are set, the first that matches a
   * call is applied.
   *
   * @throws {TypeError} that says what is wrong with the fault
   */
  fault(fault: Fault, options?: FaultOptions): () => void
  /** Clears every fault. A call that hangs already keeps hanging. */
  clearFaults(): void
  /** Resolves once `impressions` were counted in total. Rejects if the sandbox closes first. */
  received(impressions: number): Promise<void>
  /** Resolves once `calls` were read in total. Rejects if the sandbox closes first. */
  called(calls: number): Promise<void>
  /**
   * Adds a listener for calls that were read (`call`) or that ended (`end`). Returns a function that
   * removes it.
   */
  on(event: 'call' | 'end', listener: (call: SandboxCall) => void): () => void
  /** The same for counted impressions. */
  on(event: 'impression', listener: (impression: Impression) => void): () => void
  /** The same for connections that were reset before reading. */
  on(event: 'connection-reset', listener: () => void): () => void
  /**
   * Stops listening, so that connections are refused as if no server ran there. Idle connections
   * are closed; calls in progress are still answered. Resolves to a function that listens again on
   * the same port.
   */
  refuse(): Promise<() => Promise<void>>
  /** Whether connections are refused now. */
  readonly refusing: boolean
  /**
   * Closes the kept-alive connections that have no call in progress, with a FIN. Resolves to their
   * number once the callers have noticed. A call made before that may fail on a closed connection.
   */
  closeIdleConnections(): Promise<number>
}

/** A sandbox network with the methods that the sandbox itself needs. */
export class ServedNetwork<Fields extends CampaignFields>
  implements SandboxNetwork<Fields & Counted>
{
  readonly apiKey: string
  readonly ledger: Ledger<Fields & Counted>
  readonly #rules: NetworkRules<Fields>
  readonly #redact: KeyRedactor
  readonly #now: () => number
  readonly #faults = new FaultList()
  readonly #server: LoopbackServer

  constructor(options: {
    readonly apiKey: string
    readonly rules: NetworkRules<Fields>
    readonly now: () => number
    readonly bounds: LedgerBounds
  }) {
    this.apiKey = options.apiKey
    this.#rules = options.rules
    this.#redact = createKeyRedactor(options.apiKey)
    this.#now = options.now
    this.ledger = new Ledger(options.bounds)
    this.#server = new LoopbackServer(
      (request, response) => {
        this.#handleRequest(request, response).catch((error) => {
          response.destroy()
          // Thrown by the user's own `when` or listener. Rethrow it, so that the process or the
          // test runner reports it.
          throw error
        })
      },
      (socket) => this.#acceptSocket(socket),
    )
  }

  get baseUrl(): string {
    return this.#server.url
  }

  get calls(): SandboxCall[] {
    return this.ledger.calls()
  }

  get impressions(): (Fields & Counted)[] {
    return this.ledger.impressions()
  }

  get totals(): LedgerTotals {
    return this.ledger.totals()
  }

  /** The current state of each rate-limit window. Empty: the network has none. */
  get budget(): RateWindowState[] {
    return []
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
    return this.ledger.waitForTotal('impression', impressions)
  }

  called(calls: number): Promise<void> {
    return this.ledger.waitForTotal('call', calls)
  }

  on(event: string, listener: (subject: never) => void): () => void {
    return this.ledger.on(event, listener)
  }

  refuse(): Promise<() => Promise<void>> {
    return this.#server.refuse()
  }

  get refusing(): boolean {
    return this.#server.isRefusing
  }

  closeIdleConnections(): Promise<number> {
    return this.#server.closeIdle()
  }

  listen(port: number): Promise<void> {
    return this.#server.listen(port)
  }

  reset(): void {
    this.#faults.clear()
    this.ledger.clear()
  }

  async close(): Promise<void> {
    await this.#server.close()
    this.ledger.close()
  }

  /** Whether the socket may be read. `false` if a fault resets it. */
  #acceptSocket(socket: Socket): boolean {
    const fault = this.#faults.takeForConnection()
    if (fault === undefined) return true
    this.ledger.addConnectionReset()
    if (!fault.delayMs) socket.resetAndDestroy()
    else setTimeout(() => socket.resetAndDestroy(), fault.delayMs).unref()
    return false
  }

  async #handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#acceptSocket(request.socket)) return
    const { text, bytes, aborted } = await readText(request)
    if (aborted) return
    const call = this.#recordCall(request, text, bytes)
    response.once('close', () => this.ledger.endCall(call, 'aborted'))

    const decision = this.#evaluateRequest(request, call, text)
    const fault = this.#faults.takeForCall(call)
    if (fault !== undefined) call.fault = fault
    // Count before any delay: a real network counts first, even if its response is late.
    const counted = this.#countImpressions(call, decision, fault)
    const answer = buildResponse(this.#rules, decision, counted, fault)
    const { end, status } = await sendResponse(response, answer, fault, () => this.refusing)
    call.status = status
    this.ledger.endCall(call, end)
  }

  #recordCall(request: IncomingMessage, text: string | undefined, bytes: number): MutableCall {
    return this.ledger.addCall({
      at: this.#now(),
      method: request.method ?? 'GET',
      path: this.#redact(request.url ?? '/'),
      headers: redactHeaders(request.headers, this.#redact),
      authorization: this.#rules.checkAuthorization(request.headers),
      body: redactBody(text, this.#redact),
      bodyBytes: bytes,
      status: null,
      end: 'pending',
      campaigns: [],
      counted: 0,
      fault: null,
    })
  }

  #evaluateRequest(
    request: IncomingMessage,
    call: MutableCall,
    text: string | undefined,
  ): RequestDecision<Fields> {
    const { url: path = '/', headers } = request
    const { method, authorization } = call
    const pathname = path.split('?', 1)[0] ?? path
    const received = { method, path, pathname, headers, authorization, text }
    const { impressions, buildResponse } = this.#rules.evaluateRequest(received)
    const redacted = impressions.map((fields) => redactFields(fields, this.#redact))
    call.campaigns = redacted.map(({ campaignId }) => campaignId)
    return { impressions: redacted, buildResponse }
  }

  #countImpressions(
    call: MutableCall,
    decision: RequestDecision<Fields>,
    fault: Fault | undefined,
  ): number {
    const { at, id } = call
    const counted = decision.impressions
      .slice(0, limitCounted(decision.impressions.length, fault))
      .map((fields) => ({ ...fields, at, call: id }))
    this.ledger.addImpressions(call, counted)
    return counted.length
  }
}

/** Reads the whole request, but keeps no more than `MAX_BODY_BYTES` of it. */
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
