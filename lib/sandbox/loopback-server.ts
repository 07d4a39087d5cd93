import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { isLoopback } from '../networks/check-base-url.js'

/**
 * An HTTP server on a loopback port, with control over its sockets. A request whose `Host` is not a
 * loopback name gets a 403: another site's page sends it, after its own name was made to resolve to
 * 127.0.0.1 (DNS rebinding). Any port is accepted, because a TCP proxy may be in front.
 */
export class LoopbackServer {
  readonly #http: Server
  readonly #acceptSocket: (socket: Socket) => boolean
  // The number of calls in progress on each open socket.
  readonly #sockets = new Map<Socket, number>()
  #tcp: TcpServer | undefined
  #port = 0
  #refusals = 0
  #isClosed = false

  /**
   * @param acceptSocket called with each new socket before it is read. It returns `false` if it has
   *   dealt with the socket itself.
   */
  constructor(onRequest: RequestListener, acceptSocket: (socket: Socket) => boolean = () => true) {
    this.#acceptSocket = acceptSocket
    this.#http = createHttpServer((request, response) => {
      const { socket } = request
      // The request crossed our FIN on the wire. A reset tells the caller that it was not processed.
      if (socket.writableEnded) {
        socket.resetAndDestroy()
        return
      }
      this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1)
      response.once('close', () => {
        const calls = this.#sockets.get(socket)
        if (calls !== undefined) this.#sockets.set(socket, calls - 1)
      })
      if (hasLoopbackHost(request)) onRequest(request, response)
      else refuseHost(response)
    })
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** @throws the system error if the port is taken */
  async listen(port: number): Promise<void> {
    // A plain TCP server passes its sockets to the HTTP server. An HTTP server would start reading
    // at once, so it could not reset a socket before the first byte is read.
    const tcp = createTcpServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (socket) => {
        this.#handleSocket(socket)
      },
    )
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen(port, '127.0.0.1', resolve)
    })
    this.#tcp = tcp
    const address = tcp.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /**
   * Stops listening, so that new connections are refused. Idle connections are closed; calls in
   * progress are answered. Resolves to a function that listens again. If `refuse` was called more
   * than once, each of these functions must be called.
   */
  async refuse(): Promise<() => Promise<void>> {
    this.#refusals += 1
    if (this.#refusals === 1) await this.#stopListening()
    await this.closeIdle()
    let hasResumed = false
    return async () => {
      if (hasResumed) return
      hasResumed = true
      this.#refusals -= 1
      if (this.#refusals === 0 && !this.#isClosed) await this.listen(this.#port)
    }
  }

  get isRefusing(): boolean {
    return this.#refusals > 0
  }

  /**
   * Closes each connection that has no call in progress, with a FIN. Resolves to their number once
   * the callers have closed their side, and so have noticed.
   */
  async closeIdle(): Promise<number> {
    const idle = [...this.#sockets].filter(([, calls]) => calls === 0).map(([socket]) => socket)
    await Promise.all(idle.map(endSocket))
    return idle.length
  }

  /** Stops listening and destroys every connection. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const socket of this.#sockets.keys()) socket.destroy()
    await this.#stopListening()
  }

  async #stopListening(): Promise<void> {
    const tcp = this.#tcp
    if (tcp === undefined) return
    this.#tcp = undefined
    // The port is free at once. The callback of `close` would wait for the open connections too.
    tcp.close()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #handleSocket(socket: Socket): void {
    if (this.#isClosed) {
      socket.destroy()
      return
    }
    this.#sockets.set(socket, 0)
    socket.once('close', () => this.#sockets.delete(socket))
    // Resets are expected here. Without a listener, an error would end the process.
    socket.on('error', () => {})
    if (!this.#acceptSocket(socket)) return
    this.#http.emit('connection', socket)
    socket.resume()
  }
}

function hasLoopbackHost({ headers: { host = '' } }: IncomingMessage): boolean {
  return isLoopback(host.replace(/:\d+$/, '').toLowerCase())
}

function refuseHost(response: ServerResponse): void {
  response.writeHead(403, { 'content-type': 'application/json', connection: 'close' })
  response.end('{"error":"the Host header is not the address of the sandbox"}')
}

const FIN_TIMEOUT_MS = 250

function endSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy()
      // A socket that was reset after its end emits no 'close' event.
      resolve()
    }, FIN_TIMEOUT_MS)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.end()
  })
}
