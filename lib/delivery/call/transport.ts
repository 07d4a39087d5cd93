import { setMaxListeners } from 'node:events'
import { errors, Pool } from 'undici'
import type { Clock } from '../../clock.js'
import type { Network, NetworkRequest } from '../../networks/network.js'
import type { Answer } from '../../networks/verdict.js'

/** How a call ended: with an answer, or with an error. */
export type CallEnd =
  | { readonly answer: Answer }
  | {
      readonly error: Error & { code?: string }
      /** Whether the network may have received the whole request. */
      readonly sent: boolean
    }

/** Carries requests to one network over HTTP. It sends each request once and never retries. */
export interface Transport {
  /** Calls `onEnd` once. */
  send(request: NetworkRequest, onEnd: (end: CallEnd) => void): void
  /**
   * Ends all calls at once, each with an error unless its answer has begun. Nothing is sent after
   * that, and no socket keeps the process alive.
   */
  destroy(): Promise<void>
}

/** Bytes of a body that are kept. The rest is read and discarded. */
const MAX_BODY_BYTES = 64 * 1_024

class CallTimeoutError extends Error {
  readonly code = 'ETIMEDOUT'
}

/**
 * One pool of keep-alive connections, with one call at a time on each.
 *
 * @param timeoutMs how long a call may take, from `send` to the last byte of its answer
 */
export function createTransport(
  { baseUrl, connections }: Pick<Network, 'baseUrl' | 'connections'>,
  timeoutMs: number,
  clock: Clock,
): Transport {
  const { origin, pathname } = new URL(baseUrl)
  const prefix = pathname.replace(/\/$/, '')
  const calls = new Set<ResponseHandler>()
  const sockets = new AbortController()
  // Each connection listens.
  setMaxListeners(0, sockets.signal)
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    // The deadline below ends the call; this one only closes the socket.
    connect: { timeout: timeoutMs, signal: sockets.signal },
    // The deadline below covers the whole call, so undici's own timers are not needed.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  return {
    send({ method, path, headers, body }, onEnd) {
      const onCallEnd = (end: CallEnd) => {
        calls.delete(call)
        onEnd(end)
      }
      const call = new ResponseHandler(onCallEnd, timeoutMs, clock)
      calls.add(call)
      pool.dispatch({ method, path: prefix + path, headers, body }, call)
    },
    async destroy() {
      const destroyed = pool.destroy()
      // The pool forgets a connection that fails, with the calls that wait for it, and leaves
      // sockets alone that are still connecting (https://github.com/nodejs/undici/issues/3895).
      for (const call of calls) call.destroy()
      sockets.abort()
      await destroyed
    },
  }
}

type Controller = { abort(reason: Error): void }

/** Handles one call. Unlike a promise, undici's `dispatch` reports when the request is written. */
class ResponseHandler {
  readonly #onEnd: (end: CallEnd) => void
  readonly #clock: Clock
  readonly #cancelDeadline: () => void
  /** Set when the request is being written. */
  #controller: Controller | undefined
  #hasEnded = false
  #status = 0
  #headers: Answer['headers'] = {}
  #body: Buffer[] = []
  #bodyBytes = 0
  #atMs = 0

  constructor(onEnd: (end: CallEnd) => void, timeoutMs: number, clock: Clock) {
    this.#onEnd = onEnd
    this.#clock = clock
    this.#cancelDeadline = clock.after(timeoutMs, () => {
      const error = new CallTimeoutError(`no answer within ${timeoutMs} ms`)
      if (this.#controller) this.#controller.abort(error)
      else this.#end({ error, sent: false })
    })
  }

  /** Ends the call now, without waiting for undici. */
  destroy(): void {
    const error = new errors.ClientDestroyedError()
    this.#controller?.abort(error)
    this.onResponseError(undefined, error)
  }

  /** There is a connection, and unless aborted the request is written to it in this tick. */
  onRequestStart(controller: Controller): void {
    if (this.#hasEnded) {
      controller.abort(new CallTimeoutError('the connection was established too late'))
      return
    }
    this.#controller = controller
  }

  onResponseStart(_controller: Controller, status: number, headers: Answer['headers']): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    this.#atMs = this.#clock.wallNow()
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.#bodyBytes >= MAX_BODY_BYTES) return
    this.#body.push(chunk)
    this.#bodyBytes += chunk.length
  }

  onResponseEnd(): void {
    this.#answer()
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    // With the status, the network has answered, even if the rest of the answer is lost.
    if (this.#status !== 0) this.#answer()
    else this.#end({ error, sent: this.#controller !== undefined && !failedToWrite(error) })
  }

  #answer(): void {
    const [only] = this.#body
    // Most answers arrive in one piece, which need not be copied.
    const bytes = only && this.#body.length === 1 ? only : Buffer.concat(this.#body)
    const body = bytes.toString('utf8', 0, MAX_BODY_BYTES)
    this.#end({
      answer: { status: this.#status, headers: this.#headers, body, atMs: this.#atMs },
    })
  }

  #end(end: CallEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#cancelDeadline()
    this.#onEnd(end)
  }
}

/**
 * Whether writing failed, as when a kept-alive connection turns out to be closed. The last byte of
 * the request was then never sent, and without it no network can count the call.
 */
export function failedToWrite(error: Error & { syscall?: string }): boolean {
  return error.syscall === 'write'
}
