import type { Socket } from 'node:net'
import { DelayLine } from './delay-line.js'
import { type Call, Listener } from './listener.js'
import { WIRES, type Wire, type WireName } from './wires.js'

export interface PortOptions {
  readonly wire: WireName
  /** How long an answer takes, in milliseconds. */
  readonly latencyMs: number
  /** Calls a minute that the rate-limit headers tell of; none: no such headers. */
  readonly callsPerMinute?: number | undefined
}

/** What goes wrong with the calls. */
export type Fault =
  /** Answered with this status, and not counted. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterS?: number }
  /** Every so many calls a reset once the call was read: it has counted. */
  | { readonly kind: 'reset'; readonly every: number }
  | { readonly kind: 'refuse' }
  /** Read, counted and never answered. */
  | { readonly kind: 'hang' }

export interface Tally {
  readonly calls: number
  readonly impressions: number
}

/** One contestant's network, or whatever else it tells of impressions. */
export class Port {
  readonly #wire: Wire
  #line: DelayLine
  readonly #callsPerMinute: number | undefined
  readonly #listener = new Listener((call) => this.#take(call))
  readonly #arrivals = new Map<number, number>()
  /** Bodies that have counted and are not read yet: that is left for when nothing is measured. */
  #unread: Buffer[] = []
  #calls = 0
  #impressions = 0
  #minute = 0
  #callsThisMinute = 0
  #fault: Fault | undefined
  #isRefusing = false

  private constructor({ wire, latencyMs, callsPerMinute }: PortOptions) {
    this.#wire = WIRES[wire]
    this.#line = new DelayLine(latencyMs)
    this.#callsPerMinute = callsPerMinute
  }

  static async open(options: PortOptions): Promise<Port> {
    const port = new Port(options)
    await port.#listener.open()
    return port
  }

  get number(): number {
    return this.#listener.port
  }

  get calls(): number {
    return this.#calls
  }

  tally(): Tally {
    this.#read()
    return { calls: this.#calls, impressions: this.#impressions }
  }

  arrivals(): Map<number, number> {
    this.#read()
    return this.#arrivals
  }

  setLatency(latencyMs: number): void {
    this.#line = new DelayLine(latencyMs)
  }

  async setFault(fault: Fault | undefined): Promise<void> {
    this.#fault = fault
    if (fault?.kind === 'refuse') this.#listener.refuse()
    else if (this.#isRefusing) await this.#listener.open()
    this.#isRefusing = fault?.kind === 'refuse'
  }

  #read(): void {
    for (const body of this.#unread) {
      for (const campaign of this.#wire.campaigns(body)) {
        this.#impressions += 1
        this.#arrivals.set(campaign, (this.#arrivals.get(campaign) ?? 0) + 1)
      }
    }
    this.#unread = []
  }

  #take({ body, socket }: Call): void {
    this.#calls += 1
    const fault = this.#fault
    if (fault?.kind === 'status') {
      this.#line.add(() => answer(socket, fault.status, '{}', retryAfter(fault.retryAfterS)))
      return
    }
    this.#unread.push(body)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'reset' && this.#calls % fault.every === 0) {
      socket.resetAndDestroy()
      return
    }
    this.#line.add(() => answer(socket, 200, this.#wire.accept(body), this.#rateLimit()))
  }

  /** As Closient's document words them. */
  #rateLimit(): string {
    const limit = this.#callsPerMinute
    if (limit === undefined) return ''
    const nowMs = Date.now()
    const minute = Math.floor(nowMs / 60_000)
    if (minute !== this.#minute) this.#callsThisMinute = 0
    this.#minute = minute
    this.#callsThisMinute += 1
    return (
      `RateLimit-Policy: ${limit};w=60, ${limit * 1_440};w=86400\r\nRateLimit-Limit: ${limit}\r\n` +
      `RateLimit-Remaining: ${limit - this.#callsThisMinute}\r\n` +
      `RateLimit-Reset: ${60 - Math.floor((nowMs % 60_000) / 1_000)}\r\n`
    )
  }
}

function retryAfter(seconds: number | undefined): string {
  return seconds === undefined ? '' : `Retry-After: ${seconds}\r\n`
}

function answer(socket: Socket, status: number, body: string, headers: string): void {
  socket.write(
    `HTTP/1.1 ${status} -\r\nContent-Type: application/json\r\n${headers}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
}
