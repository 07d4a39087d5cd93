import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'

/** A loopback port that HTTP is spoken on, down to its sockets. */
export class Listener {
  readonly #http: Server
  readonly #accept: (socket: Socket) => boolean
  // How many calls are under way on each open socket.
  readonly #sockets = new Map<Socket, number>()
  #tcp: TcpServer | undefined
  #port = 0
  #refusals = 0
  #closed = false

  /** `accept` may take a new socket for itself, unread: then it says `false`. */
  constructor(serve: RequestListener, accept: (socket: Socket) => boolean = () => true) {
    this.#accept = accept
    this.#http = createHttpServer((request, response) => {
      const { socket } = request
      // Sent before the caller saw the FIN: nothing of it was read, as far as it can tell.
      if (socket.writableEnded) {
        socket.resetAndDestroy()
        return
      }
      this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1)
      response.once('close', () => {
        const calls = this.#sockets.get(socket)
        if (calls !== undefined) this.#sockets.set(socket, calls - 1)
      })
      serve(request, response)
    })
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** @throws the system's error when the port is taken */
  async listen(port: number): Promise<void> {
    // A bare TCP server hands its sockets to the HTTP server: so a socket can be reset before one
    // byte of it was read, which an HTTP server would have begun to do.
    const tcp = createTcpServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (socket) => {
        this.#adopt(socket)
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
   * Stops listening, so that new connections are refused. Idle connections are closed; calls under
   * way are answered. Refusing twice takes resuming twice.
   */
  async refuse(): Promise<() => Promise<void>> {
    this.#refusals += 1
    if (this.#refusals === 1) await this.#stop()
    await this.closeIdle()
    let resumed = false
    return async () => {
      if (resumed) return
      resumed = true
      this.#refusals -= 1
      if (this.#refusals === 0 && !this.#closed) await this.listen(this.#port)
    }
  }

  get refusing(): boolean {
    return this.#refusals > 0
  }

  /**
   * Closes, by FIN, each connection that has no call under way, and resolves to their number once
   * the callers have closed their side, which tells that they know.
   */
  async closeIdle(): Promise<number> {
    const idle = [...this.#sockets].filter(([, calls]) => calls === 0).map(([socket]) => socket)
    await Promise.all(idle.map(finish))
    return idle.length
  }

  /** Stops listening and severs every connection. */
  async close(): Promise<void> {
    this.#closed = true
    for (const socket of this.#sockets.keys()) socket.destroy()
    await this.#stop()
  }

  async #stop(): Promise<void> {
    const tcp = this.#tcp
    if (tcp === undefined) return
    this.#tcp = undefined
    // Not waited for: the port is free at once, but `close` would call back only once the
    // connections, which may go on, are gone as well.
    tcp.close()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #adopt(socket: Socket): void {
    if (this.#closed) {
      socket.destroy()
      return
    }
    this.#sockets.set(socket, 0)
    socket.once('close', () => this.#sockets.delete(socket))
    // Resets are this server's daily bread; without a listener one would end the process.
    socket.on('error', () => {})
    if (!this.#accept(socket)) return
    this.#http.emit('connection', socket)
    socket.resume()
  }
}

const FIN_PATIENCE_MS = 250

function finish(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const impatience = setTimeout(() => {
      socket.destroy()
      // A socket that was reset after its end emits no 'close'.
      resolve()
    }, FIN_PATIENCE_MS)
    socket.once('close', () => {
      clearTimeout(impatience)
      resolve()
    })
    socket.end()
  })
}
