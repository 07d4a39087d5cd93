import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { BROWSER } from './browser.js'

/** A request as it goes over the wire. */
export function requestText(path = '/', headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: 'localhost', ...BROWSER, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** A client that does with its socket what no HTTP client would. */
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

  /** All that came so far, of what was read. */
  get received(): string {
    return this.#received
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  /** Reads until `text` has come. */
  async readUntil(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      const chunk: Buffer | null = this.#socket.read()
      if (chunk) this.#received += chunk.toString('latin1')
      else await once(this.#socket, 'readable')
    }
  }

  /** Waits for the answer's first bytes and reads none of them: the kernel's buffers fill up. */
  async waitForBytes(): Promise<void> {
    if (this.#socket.readableLength === 0) await once(this.#socket, 'readable')
  }

  /** Hangs up, and throws away what it has not read. */
  async leave(): Promise<void> {
    this.#socket.resetAndDestroy()
    await this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.#closed
  }
}
