import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ens } from '../../lib/networks/ens.js'
import type { Network } from '../../lib/networks/network.js'
import { type Gate, gate } from './gate.js'
import { listening, portOf } from './publisher.js'

/** A call that waits for the test to answer it. */
export interface Call {
  readonly campaignId: number
  succeed(): void
  fail(status: number): void
  /** Breaks the connection off without an answer. */
  sever(): void
}

/** ENS, answering when and as the test says. */
export class NetworkAtHand implements AsyncDisposable {
  readonly #server: Server
  readonly #calls: Call[] = []
  #arrival: Gate = gate()

  private constructor() {
    this.#server = createServer((req, res) => void this.#take(req, res))
  }

  static async start(): Promise<NetworkAtHand> {
    const network = new NetworkAtHand()
    await listening(network.#server)
    return network
  }

  get network(): Network {
    return ens({ apiKey: 'key', baseUrl: `http://127.0.0.1:${portOf(this.#server)}` })
  }

  /** The next call that nobody has answered, as soon as there is one. */
  async nextCall(): Promise<Call> {
    let call = this.#calls.shift()
    while (!call) {
      await this.#arrival.opened
      call = this.#calls.shift()
    }
    return call
  }

  async #take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of req.setEncoding('utf8')) body += chunk
    this.#calls.push({
      campaignId: JSON.parse(body).campaignId,
      succeed: () => void res.end('{"status":"success"}'),
      fail: (status) => void res.writeHead(status).end(),
      sever: () => void req.socket.destroy(),
    })
    const arrival = this.#arrival
    this.#arrival = gate()
    arrival.open()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
