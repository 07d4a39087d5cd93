import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ens } from '../../lib/networks/ens.js'
import type { Network } from '../../lib/networks/network.js'
import { createDeferred, type Deferred } from './deferred.js'
import { getPort, listenOnLoopback } from './listen-on-loopback.js'

/** A call that waits until the test answers it. */
export interface ReceivedCall {
  readonly campaignId: number
  succeed(): void
  fail(status: number): void
  /** Closes the connection without an answer. */
  disconnect(): void
}

/** A server for ENS's API that answers when and how the test decides. */
export class ManualEns implements AsyncDisposable {
  readonly #server: Server
  readonly #calls: ReceivedCall[] = []
  #nextArrival: Deferred = createDeferred()

  private constructor() {
    this.#server = createServer((req, res) => void this.#receive(req, res))
  }

  static async start(): Promise<ManualEns> {
    const manualEns = new ManualEns()
    await listenOnLoopback(manualEns.#server)
    return manualEns
  }

  get network(): Network {
    return ens({ apiKey: 'key', baseUrl: `http://127.0.0.1:${getPort(this.#server)}` })
  }

  /** Resolves with the next call that was not returned before. */
  async nextCall(): Promise<ReceivedCall> {
    let call = this.#calls.shift()
    while (!call) {
      await this.#nextArrival.promise
      call = this.#calls.shift()
    }
    return call
  }

  async #receive(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of req.setEncoding('utf8')) body += chunk
    this.#calls.push({
      campaignId: JSON.parse(body).campaignId,
      succeed: () => void res.end('{"status":"success"}'),
      fail: (status) => void res.writeHead(status).end(),
      disconnect: () => void req.socket.destroy(),
    })
    const arrival = this.#nextArrival
    this.#nextArrival = createDeferred()
    arrival.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
