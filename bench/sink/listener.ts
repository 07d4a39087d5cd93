import { createServer, type Server, type Socket } from 'node:net'

/** A call that was read whole. */
export interface Call {
  readonly head: string
  readonly body: Buffer
  readonly socket: Socket
}

/**
 * The least HTTP/1.1 server that the contestants' calls need: on two cores, one that did more would
 * be slower than the senders that it is to measure.
 */
export class Listener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0

  constructor(onCall: (call: Call) => void) {
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

  /** Listens on the port that it had before, or on any. */
  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** Refuses connections, and resets those that there are. */
  refuse(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}

const HEAD_END = '\r\n\r\n'
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i

function readCalls(socket: Socket, onCall: (call: Call) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const headEnd = rest.indexOf(HEAD_END)
      if (headEnd < 0) return
      const head = rest.toString('latin1', 0, headEnd)
      const length = CONTENT_LENGTH.exec(head)?.[1]
      if (length === undefined) throw new Error(`a call without Content-Length: ${head}`)
      const bodyStart = headEnd + HEAD_END.length
      const end = bodyStart + Number(length)
      if (rest.length < end) return
      const body = rest.subarray(bodyStart, end)
      rest = rest.subarray(end)
      onCall({ head, body, socket })
    }
  })
}
