import type { Socket } from 'node:net'

type WriteCallback = (error?: Error | null) => void

/** A longer informational answer is left to undici, which ends the call. */
const MAX_INFORMATIONAL_BYTES = 16 * 1_024

/**
 * What undici does not tell about a socket, or gets wrong. undici sends one request at a time on it
 * (no pipelining), and only calls `write(chunk, encoding)` and `read()`.
 */
export class Connection {
  /** The first error. If the socket ends as well, undici reports that instead, which says less. */
  firstError: Error | undefined
  readonly #onWrite: (connection: Connection) => void
  readonly #socket: Socket
  #unfinishedWrites = 0
  /** Whether the next bytes to arrive begin an answer. */
  #isAtHead = false
  /** The bytes of an answer that has begun, until they tell whether it is informational. */
  #head: Buffer = EMPTY

  /** @param onWrite called before each part of a request is written */
  constructor(socket: Socket, onWrite: (connection: Connection) => void) {
    this.#onWrite = onWrite
    this.#socket = socket
    socket.on('error', (error) => {
      this.firstError ??= error
    })
    this.#interceptWrites(socket)
    this.#interceptReads(socket)
  }

  /** Whether the operating system has taken every byte that was written. */
  get isFlushed(): boolean {
    return this.#unfinishedWrites === 0
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  #interceptWrites(socket: Socket): void {
    const write = socket.write.bind(socket)
    // Once the socket is destroyed, no further byte leaves it, but Node reports success all the same.
    const onWritten: WriteCallback = (error) => {
      if (!error && !socket.destroyed) this.#unfinishedWrites -= 1
    }
    socket.write = (chunk: string | Uint8Array, encoding?: BufferEncoding | WriteCallback) => {
      this.#onWrite(this)
      this.#isAtHead = true
      this.#unfinishedWrites += 1
      return write(chunk, typeof encoding === 'string' ? encoding : undefined, onWritten)
    }
  }

  #interceptReads(socket: Socket): void {
    const read = socket.read.bind(socket)
    socket.read = (size?: number) => (this.#isAtHead ? this.#readHead(read) : read(size))
  }

  /** Returns the beginning of the final answer; `null` if it has not arrived. */
  #readHead(read: () => Buffer | null): Buffer | null {
    for (let chunk = read(); chunk !== null; chunk = read()) {
      const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
      const { rest, isFinal } = skipInformational(bytes)
      if (isFinal) {
        this.#isAtHead = false
        this.#head = EMPTY
        return rest
      }
      this.#head = rest
    }
    return null
  }
}

const EMPTY = Buffer.alloc(0)

/**
 * Skips informational answers (1xx): a client must accept them unasked (RFC 9110 section 15.2), and
 * undici closes the connection at a 100.
 *
 * @returns the bytes behind them, and whether these are known to begin the final answer
 */
function skipInformational(bytes: Buffer): { rest: Buffer; isFinal: boolean } {
  let rest = bytes
  while (mayBeInformational(rest)) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return { rest, isFinal: rest.length > MAX_INFORMATIONAL_BYTES }
    rest = rest.subarray(end + 4)
  }
  return { rest, isFinal: true }
}

const PROTOCOL = 'HTTP/1.'
/** The length of `HTTP/1.1 100`. */
const STATUS_END = 12
/** 101 is not skipped: behind it another protocol begins, which was not asked for. */
const INFORMATIONAL = /^HTTP\/1\.\d 1(?!01)\d\d/

function mayBeInformational(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, STATUS_END)
  if (start.length === STATUS_END) return INFORMATIONAL.test(start)
  return start.startsWith(PROTOCOL.slice(0, start.length))
}
