import type { CallEnd, Transport } from '../../lib/delivery/call/transport.js'
import type { NetworkRequest } from '../../lib/networks/network.js'
import type { VirtualClock } from './virtual-clock.js'

/** A call as a scripted transport sees it. */
export interface ScriptedCall {
  readonly request: NetworkRequest
  /** The items that it carries. */
  readonly items: readonly number[]
  readonly atMs: number
  isUnderWay: boolean
  end(end: CallEnd): void
}

/** How a call is to end, and after how long; `undefined`: the test will end it. */
export type Script = (call: ScriptedCall) => CallEnd | undefined

export function status(code: number, headers: Record<string, string> = {}, body = ''): CallEnd {
  return { answer: { status: code, headers, body, atMs: 0 } }
}

export const ok = status(200)

export function lost(sent: boolean, code = 'ECONNRESET'): CallEnd {
  return { error: Object.assign(new Error('the connection failed'), { code }), sent }
}

/** A transport without a network: a script says how each call ends. */
export class ScriptedTransport implements Transport {
  readonly calls: ScriptedCall[] = []
  script: Script = () => ok
  latencyMs = 10
  mostUnderWay = 0
  #underWay = 0
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  get underWay(): readonly ScriptedCall[] {
    return this.calls.filter(({ isUnderWay }) => isUnderWay)
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
      isUnderWay: true,
      end: (end) => {
        if (!call.isUnderWay) return
        call.isUnderWay = false
        this.#underWay -= 1
        onEnd('answer' in end ? { answer: { ...end.answer, atMs: this.#clock.wallNow() } } : end)
      },
    }
    this.calls.push(call)
    this.#underWay += 1
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay)
    const end = this.script(call)
    if (end) this.#clock.after(this.latencyMs, () => call.end(end))
  }

  async destroy(): Promise<void> {
    for (const call of this.underWay) call.end(lost(true, 'UND_ERR_DESTROYED'))
  }
}
