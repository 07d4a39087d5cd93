import type { Socket } from 'node:net'
import { DelayLine } from './delay-line.js'
import { HttpListener, type SinkCall } from './http-listener.js'
import { PROTOCOLS, type ProtocolName, type SinkProtocol } from './protocols.js'

export interface SinkPortOptions {
  readonly protocol: ProtocolName
  /** How long an answer takes. */
  readonly latencyMs: number
  /** The limit in the rate-limit headers. `undefined`: no such headers. */
  readonly callsPerMinute?: number | undefined
}

/** What goes wrong with the calls. */
export type SinkFault =
  /** Calls, or one in `every`, are answered with this status and not counted. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly retryAfterS?: number
      readonly every?: number
    }
  /** One call in `every` is read and counted, then its connection is reset. */
  | { readonly kind: 'reset'; readonly every: number }
  /** Connections are refused. */
  | { readonly kind: 'refuse' }
  /** Calls are read, counted and never answered. */
  | { readonly kind: 'hang' }

export interface SinkTotals {
  readonly calls: number
  readonly impressions: number
}

/** The server of one contestant: an ad network or an analytics service. */
export class SinkPort {
  readonly #protocol: SinkProtocol
  readonly #callsPerMinute: number | undefined
  readonly #listener = new HttpListener((call) => this.#receive(call))
  readonly #countByCampaign = new Map<number, number>()
  #delayLine: DelayLine
  /** Accepted bodies. They are parsed later, while nothing is being measured. */
  #unparsedBodies: Buffer[] = []
  #calls = 0
  #impressions = 0
  #minute = 0
  #callsThisMinute = 0
  #fault: SinkFault | undefined
  #isRefusing = false

  private constructor({ protocol, latencyMs, callsPerMinute }: SinkPortOptions) {
    this.#protocol = PROTOCOLS[protocol]
    this.#delayLine = new DelayLine(latencyMs)
    this.#callsPerMinute = callsPerMinute
  }

  static async open(options: SinkPortOptions): Promise<SinkPort> {
    const port = new SinkPort(options)
    await port.#listener.open()
    return port
  }

  get number(): number {
    return this.#listener.port
  }

  get calls(): number {
    return this.#calls
  }

  getTotals(): SinkTotals {
    this.#parseBodies()
    return { calls: this.#calls, impressions: this.#impressions }
  }

  /** How often each campaign was counted. */
  getCountByCampaign(): Map<number, number> {
    this.#parseBodies()
    return this.#countByCampaign
  }

  setLatency(latencyMs: number): void {
    this.#delayLine = new DelayLine(latencyMs)
  }

  async setFault(fault: SinkFault | undefined): Promise<void> {
    this.#fault = fault
    if (fault?.kind === 'refuse') this.#listener.refuseConnections()
    else if (this.#isRefusing) await this.#listener.open()
    this.#isRefusing = fault?.kind === 'refuse'
  }

  #parseBodies(): void {
    for (const body of this.#unparsedBodies) {
      for (const campaign of this.#protocol.readCampaigns(body)) {
        this.#impressions += 1
        this.#countByCampaign.set(campaign, (this.#countByCampaign.get(campaign) ?? 0) + 1)
      }
    }
    this.#unparsedBodies = []
  }

  #receive({ body, socket }: SinkCall): void {
    this.#calls += 1
    const fault = this.#fault
    if (fault?.kind === 'status' && this.#calls % (fault.every ?? 1) === 0) {
      const headers = formatRetryAfter(fault.retryAfterS)
      this.#delayLine.add(() => sendAnswer(socket, fault.status, '{}', headers))
      return
    }
    this.#unparsedBodies.push(body)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'reset' && this.#calls % fault.every === 0) {
      socket.resetAndDestroy()
      return
    }
    this.#delayLine.add(() =>
      sendAnswer(socket, 200, this.#protocol.accept(body), this.#formatRateLimit()),
    )
  }

  /** The headers that Closient documents (https://docs.closient.com). */
  #formatRateLimit(): string {
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

function formatRetryAfter(seconds: number | undefined): string {
  return seconds === undefined ? '' : `Retry-After: ${seconds}\r\n`
}

function sendAnswer(socket: Socket, status: number, body: string, headers: string): void {
  socket.write(
    `HTTP/1.1 ${status} -\r\nContent-Type: application/json\r\n${headers}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
}
