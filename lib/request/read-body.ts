import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.js'

/** A request's body, or why there is none. */
export type RequestBody =
  | { readonly status: 'complete'; readonly bytes: Buffer }
  /** The rest of the body is left unread; `bytesRead` were read so far. */
  | { readonly status: 'too-large'; readonly bytesRead: number }
  /** The connection ended, or the time did. */
  | { readonly status: 'aborted' }

/** How long a body may take. */
export interface BodyDeadline {
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * Reads a request's body, but never holds more than `maxBytes` of it. Reading stops as soon as the
 * body is known to be larger, from `Content-Length` or from what has arrived. Never rejects.
 */
export async function readBody(
  req: IncomingMessage,
  maxBytes: number,
  deadline?: BodyDeadline,
): Promise<RequestBody> {
  if (Number(req.headers['content-length']) > maxBytes) return { status: 'too-large', bytesRead: 0 }
  // A stream that has already ended emits no further event.
  if (req.readableEnded || req.destroyed) return { status: 'aborted' }
  const buffer = new GrowingBuffer(maxBytes)
  return new Promise((resolve) => {
    const cancelDeadline = deadline?.clock.after(deadline.timeoutMs, onAborted)
    req.on('data', onData).on('end', onEnd).on('error', onAborted).on('close', onAborted)
    // An earlier middleware may have paused the request.
    req.resume()

    // Chunks are strings if an earlier middleware called `setEncoding()`.
    function onData(chunk: Buffer | string): void {
      const bytesRead = buffer.append(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      if (bytesRead > maxBytes) stop({ status: 'too-large', bytesRead })
    }
    function onEnd(): void {
      finish({ status: 'complete', bytes: buffer.bytes })
    }
    function onAborted(): void {
      stop({ status: 'aborted' })
    }
    function stop(body: RequestBody): void {
      req.pause()
      finish(body)
    }
    function finish(body: RequestBody): void {
      cancelDeadline?.()
      // The 'error' listener stays: an unhandled 'error' event would end the process.
      req.off('data', onData).off('end', onEnd).off('close', onAborted)
      resolve(body)
    }
  })
}

const FIRST_BUFFER_BYTES = 1_024

/**
 * Joins chunks in one buffer. A list of chunks would cost far more than the bytes in them, if a
 * client sends each byte on its own.
 */
class GrowingBuffer {
  readonly #maxBytes: number
  #buffer = Buffer.alloc(0)
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** @returns the length of all chunks so far; above `maxBytes` the chunk was not kept */
  append(chunk: Buffer): number {
    const length = this.#length + chunk.length
    if (length > this.#maxBytes) return length
    if (length > this.#buffer.length) this.#grow(length)
    chunk.copy(this.#buffer, this.#length)
    this.#length = length
    return length
  }

  #grow(neededBytes: number): void {
    const size = Math.max(neededBytes, 2 * this.#buffer.length, FIRST_BUFFER_BYTES)
    const larger = Buffer.alloc(Math.min(size, this.#maxBytes))
    this.bytes.copy(larger)
    this.#buffer = larger
  }
}
