import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from './fault.js'
import type { SandboxCallEnd } from './sandbox-call.js'
import type { SandboxResponse } from './sandbox-response.js'

/** How a call ended, and the status that was sent, if any. */
export interface SentResult {
  readonly end: SandboxCallEnd
  readonly status: number | null
}

/**
 * Sends the response, or what the fault puts in its place. `isLast` is called just before sending:
 * if it returns true, the connection is closed after this response.
 */
export async function sendResponse(
  response: ServerResponse,
  answer: SandboxResponse,
  fault: Fault | undefined,
  isLast: () => boolean,
): Promise<SentResult> {
  const { socket } = response
  if (fault?.delayMs !== undefined) await waitUnlessClosed(response, fault.delayMs)
  if (socket === null || socket.destroyed) return { end: 'aborted', status: null }
  const end = endWithoutStatus(socket, fault)
  if (end !== undefined) return { end, status: null }
  if (isLast()) response.setHeader('connection', 'close')
  if (fault?.reset === 'mid-answer' || fault?.cutOff) {
    sendHalf(response, socket, answer, fault.cutOff === true)
    return { end: fault.cutOff ? 'cut-off' : 'reset', status: answer.status }
  }
  sendWhole(response, answer)
  return { end: 'answered', status: answer.status }
}

/** Applies a fault that sends no status. `undefined`: the fault is not one of these. */
function endWithoutStatus(socket: Socket, fault: Fault | undefined): SandboxCallEnd | undefined {
  if (fault?.hang) return 'hung'
  if (fault?.reset === 'after-read') {
    socket.resetAndDestroy()
    return 'reset'
  }
  if (fault?.raw !== undefined) {
    socket.end(fault.raw, 'latin1', () => socket.destroy())
    return 'cut-off'
  }
  return undefined
}

function sendHalf(
  response: ServerResponse,
  socket: Socket,
  { status, headers, body }: SandboxResponse,
  endsWithFin: boolean,
): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, { ...headers, 'content-length': Math.max(2, bytes.length) })
  const half = bytes.subarray(0, Math.floor(bytes.length / 2))
  response.write(half.length > 0 ? half : ' ', () => {
    if (endsWithFin) socket.end(() => socket.destroy())
    // Wait a moment: some kernels discard data that the caller has not read when a reset arrives.
    else setTimeout(() => socket.resetAndDestroy(), 10).unref()
  })
}

function sendWhole(response: ServerResponse, { status, headers, body }: SandboxResponse): void {
  const bytes = Buffer.from(body)
  const hasNoBody = status === 204 || status === 205 || status === 304
  const isFramed = hasNoBody || headers['transfer-encoding'] !== undefined
  response.writeHead(status, isFramed ? headers : { 'content-length': bytes.length, ...headers })
  response.end(hasNoBody ? undefined : bytes)
}

/** Waits for the delay, or until the caller closes the connection. */
async function waitUnlessClosed(response: ServerResponse, delayMs: number): Promise<void> {
  const closed = new AbortController()
  const onClose = () => closed.abort()
  response.once('close', onClose)
  try {
    await delay(delayMs, undefined, { signal: closed.signal })
  } catch {
    // The connection was closed. The caller of this function checks the socket.
  } finally {
    response.off('close', onClose)
  }
}
