import { createServer, type Server, type Socket } from 'node:net'

/** A call that was received completely. */
export interface SinkCall {
  readonly body: Buffer
  readonly socket: Socket
}

/**
 * A minimal HTTP/1.1 server that understands only what the contestants send. On a machine with two
 * cores, a complete server would be slower than the senders it measures.
 */
export class HttpListener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0

  constructor(onCall: (call: SinkCall) => void) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      readCalls(socket, onCall)
    })
  }

  get port(): number {
    return this.#port
  }

  /** Listens on the previous port, or on any free port the first time. */
  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** Refuses new connections and resets the open ones. */
  refuseConnections(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}

const HEAD_END = '\r\n\r\n'
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i

function readCalls(socket: Socket, onCall: (call: SinkCall) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const headEnd = rest.indexOf(HEAD_END)
      if (headEnd < 0) return
      const head = rest.toString('latin1', 0, headEnd)
      const length = CONTENT_LENGTH.exec(head)?.[1]
      if (length === undefined) throw new Error(`call without Content-Length: ${head}`)
      const bodyStart = headEnd + HEAD_END.length
      const end = bodyStart + Number(length)
      if (rest.length < end) return
      const body = rest.subarray(bodyStart, end)
      rest = rest.subarray(end)
      onCall({ body, socket })
    }
  })
}
