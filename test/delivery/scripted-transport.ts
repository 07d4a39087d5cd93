import type { Clock } from '../../lib/clock.js'
import type { CallEnd, Transport } from '../../lib/delivery/call/transport.js'
import type { NetworkRequest } from '../../lib/networks/network.js'

/** A call to a scripted transport. */
export interface ScriptedCall {
  readonly request: NetworkRequest
  /** The items that it carries. */
  readonly items: readonly number[]
  readonly atMs: number
  isInFlight: boolean
  end(end: CallEnd): void
}

/** Returns how a call ends, or `undefined` if the test ends it. */
export type Script = (call: ScriptedCall) => CallEnd | undefined

export function status(code: number, headers: Record<string, string> = {}, body = ''): CallEnd {
  return { answer: { status: code, headers, body, atMs: 0 } }
}

export const ok = status(200)

/** @param sent whether the network may have received the request */
export function connectionError(sent: boolean, code = 'ECONNRESET'): CallEnd {
  return { error: Object.assign(new Error('the connection failed'), { code }), sent }
}

/** A transport without a network: a script decides how each call ends. */
export class ScriptedTransport implements Transport {
  readonly calls: ScriptedCall[] = []
  script: Script = () => ok
  latencyMs = 10
  /** The most calls that were in flight at one time. */
  maxInFlight = 0
  #inFlight = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The items of each call, in order. */
  get sent(): readonly (readonly number[])[] {
    return this.calls.map(({ items }) => items)
  }

  send(request: NetworkRequest, onEnd: (end: CallEnd) => void): void {
    const call: ScriptedCall = {
      request,
      items: JSON.parse(request.body),
      atMs: this.#clock.now(),
      isInFlight: true,
      end: (end) => {
        if (!call.isInFlight) return
        call.isInFlight = false
        this.#inFlight -= 1
        onEnd('answer' in end ? { answer: { ...end.answer, atMs: this.#clock.wallNow() } } : end)
      },
    }
    this.calls.push(call)
    this.#inFlight += 1
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight)
    const end = this.script(call)
    if (end) this.#clock.after(this.latencyMs, () => call.end(end))
  }

  async destroy(): Promise<void> {
    const inFlight = this.calls.filter(({ isInFlight }) => isInFlight)
    for (const call of inFlight) call.end(connectionError(true, 'UND_ERR_DESTROYED'))
  }
}
