import type { Clock } from '../../clock.js'
import type { Answer } from '../../networks/answer.js'
import { BodyBytes, decodeBody } from './answer-body.js'
import { CallError, CallTimeoutError, isTlsRefusal } from './call-error.js'
import type { Connection } from './connection.js'

/** How a call ended: with an answer, or with an error. */
export type CallEnd =
  | {
      readonly answer: Answer
      /** Why the body could not be read, or not completely. */
      readonly unreadable?: string | undefined
    }
  | {
      readonly error: Error & { readonly code?: string | undefined }
      /** Whether the network may have received the whole request. */
      readonly sent: boolean
    }

export interface CallDependencies {
  /** Host and port, for messages. */
  readonly peer: string
  /** How long the call may take, from now to the last byte of its answer. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Called right before the request is written. */
  readonly onStart: (call: Call) => void
  /** Called once. */
  readonly onEnd: (end: CallEnd) => void
}

/** Enough to read the longest answer that is kept. */
const MAX_POLLS = 100

type Controller = { abort(reason: Error): void }

/** One call, as undici's dispatch handler. Unlike a promise, that hears when a request is written. */
export class Call {
  readonly #dependencies: CallDependencies
  readonly #cancelDeadline: () => void
  #isOverdue = false
  #hasEnded = false
  /** Set when the request is being written. */
  #controller: Controller | undefined
  #connection: Connection | undefined
  #status = 0
  #headers: Answer['headers'] = {}
  readonly #body = new BodyBytes()
  #atMs = 0

  constructor(dependencies: CallDependencies) {
    const { clock, timeoutMs } = dependencies
    this.#dependencies = dependencies
    this.#cancelDeadline = clock.after(timeoutMs, () => void this.#giveUp())
  }

  /** Ends the call if its request has not been written yet; it never will be. */
  cancel(error: Error): void {
    if (!this.#controller) this.#fail(error)
  }

  /** Ends the call now. */
  abort(error: Error): void {
    if (this.#controller) this.#controller.abort(error)
    else this.#fail(error)
  }

  /** There is a connection, and unless aborted the request is written to it in this tick. */
  onRequestStart(controller: Controller): void {
    if (this.#isOverdue || this.#hasEnded) {
      controller.abort(this.#timeout('no connection'))
      return
    }
    this.#controller = controller
    this.#dependencies.onStart(this)
  }

  /** The request is being written to this connection. */
  onWrite(connection: Connection): void {
    this.#connection = connection
  }

  onResponseStart(_controller: Controller, status: number, headers: Answer['headers']): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    this.#atMs = this.#dependencies.clock.wallNow()
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#body.append(chunk)
    if (this.#body.isTooLong) controller.abort(new Error('the body of the answer is too long'))
  }

  onResponseEnd(): void {
    this.#answer()
  }

  onResponseError(_controller: Controller, error: Error): void {
    // With the status, the network has answered, even if the rest of the answer is lost.
    if (this.#status !== 0) this.#answer()
    else this.#fail(this.#connection?.firstError ?? error)
  }

  /** The deadline has passed, but the answer may be in the socket already. */
  async #giveUp(): Promise<void> {
    this.#isOverdue = true
    let bytesRead: number | undefined
    for (let polls = 0; polls < MAX_POLLS && !this.#hasEnded; polls += 1) {
      await pollSockets()
      // A long answer takes several turns of the event loop.
      if (this.#connection?.bytesRead === bytesRead) break
      bytesRead = this.#connection?.bytesRead
    }
    this.abort(this.#timeout(this.#controller ? 'no answer' : 'no connection'))
  }

  #timeout(missing: string): Error {
    return new CallTimeoutError(`${missing} within ${this.#dependencies.timeoutMs} ms`)
  }

  #answer(): void {
    const { text, unreadable } = decodeBody(this.#body, this.#headers)
    const answer = { status: this.#status, headers: this.#headers, body: text, atMs: this.#atMs }
    this.#end({ answer, unreadable })
  }

  #fail(cause: Error & { code?: string }): void {
    if (this.#hasEnded) return
    // A network cannot count a request that lacks its last byte.
    const isWritten = this.#connection?.isFlushed ?? false
    const error = new CallError(cause, this.#dependencies.peer)
    this.#end({ error, sent: isWritten && !isTlsRefusal(error) })
  }

  #end(end: CallEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#cancelDeadline()
    this.#dependencies.onEnd(end)
  }
}

/**
 * Lets the event loop read what has arrived. Node runs timers before that: a process that stood still
 * or was busy finds its deadlines overdue while the answers wait in its sockets.
 */
export function pollSockets(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
