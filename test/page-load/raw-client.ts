import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { BROWSER_HEADERS } from './fetch-page.js'

/** Formats a GET request as HTTP/1.1 text. */
export function formatRequest(path = '/', headers: Readonly<Record<string, string>> = {}): string {
  const allHeaders = { host: 'localhost', ...BROWSER_HEADERS, ...headers }
  const lines = Object.entries(allHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** A client with full control of its socket: it can pipeline, stop reading and reset. */
export class RawClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #closed: Promise<unknown>
  #received = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#closed = once(socket, 'close')
    socket.on('error', () => {})
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    const client = new RawClient(socket)
    await once(socket, 'connect')
    return client
  }

  /** Everything that was read so far. */
  get received(): string {
    return this.#received
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  /** Reads until `text` has arrived. */
  async readUntil(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      const chunk: Buffer | null = this.#socket.read()
      if (chunk) this.#received += chunk.toString('latin1')
      else await once(this.#socket, 'readable')
    }
  }

  /** Waits for the first bytes of the answer and reads none, so that the kernel's buffers fill up. */
  async waitForBytes(): Promise<void> {
    if (this.#socket.readableLength === 0) await once(this.#socket, 'readable')
  }

  /** Resets the connection, and discards what was not read. */
  async disconnect(): Promise<void> {
    this.#socket.resetAndDestroy()
    await this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.#closed
  }
}
