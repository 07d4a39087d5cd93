import type { IncomingMessage } from 'node:http'

/** A request's body, or why there is none. */
export type RequestBody =
  | { readonly status: 'complete'; readonly bytes: Buffer }
  /** The rest of the body is left unread; `bytesRead` were read so far. */
  | { readonly status: 'too-large'; readonly bytesRead: number }
  | { readonly status: 'aborted' }

/**
 * Reads a request's body, but never holds more than `maxBytes` of it. Reading stops as soon as the
 * body is known to be larger, from `Content-Length` or from what has arrived. Never rejects.
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<RequestBody> {
  if (Number(req.headers['content-length']) > maxBytes) return { status: 'too-large', bytesRead: 0 }
  // A stream that has already ended emits no further event.
  if (req.readableEnded || req.destroyed) return { status: 'aborted' }
  const chunks: Buffer[] = []
  let bytesRead = 0
  return new Promise((resolve) => {
    req.on('data', onData).on('end', onEnd).on('error', onAborted).on('close', onAborted)
    // An earlier middleware may have paused the request.
    req.resume()

    // Chunks are strings if an earlier middleware called `setEncoding()`.
    function onData(chunk: Buffer | string): void {
      const bytes = Buffer.from(chunk)
      bytesRead += bytes.length
      if (bytesRead <= maxBytes) chunks.push(bytes)
      else stop({ status: 'too-large', bytesRead })
    }
    function onEnd(): void {
      finish({ status: 'complete', bytes: Buffer.concat(chunks) })
    }
    function onAborted(): void {
      stop({ status: 'aborted' })
    }
    function stop(body: RequestBody): void {
      req.pause()
      finish(body)
    }
    function finish(body: RequestBody): void {
      // The 'error' listener stays: an unhandled 'error' event would end the process.
      req.off('data', onData).off('end', onEnd).off('close', onAborted)
      resolve(body)
    }
  })
}
