import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { CallEnd } from './call.js'
import type { Fault } from './fault.js'
import type { Answer, NetworkRules, Verdict } from './rules.js'

/** How many of a call's impressions the network counts, whatever the caller gets to hear. */
export function countedOf(shown: readonly unknown[], fault: Fault | undefined): number {
  const counts = fault?.counts ?? countsUnsaid(fault)
  if (typeof counts === 'number') return Math.min(counts, shown.length)
  return counts ? shown.length : 0
}

function countsUnsaid(fault: Fault | undefined): boolean {
  if (fault?.status === undefined) return true
  if (fault.reset === 'after-read' || fault.hang || fault.raw !== undefined) return true
  return isSuccess(fault.status)
}

/** The answer to a call, with what its fault says put in the place of what the network would say. */
export function answerOf<Shown>(
  rules: NetworkRules<Shown>,
  verdict: Verdict<Shown>,
  counted: number,
  fault: Fault | undefined,
): Answer {
  if (fault === undefined) return verdict.answer(counted)
  const usual =
    fault.status === undefined || isSuccess(fault.status)
      ? verdict.answer(counted)
      : rules.problem(fault.status, fault.headers?.['retry-after'])
  const headers: Record<string, string> = { ...usual.headers }
  for (const [name, value] of Object.entries(fault.headers ?? {})) {
    if (value === null) delete headers[name]
    else headers[name] = value
  }
  const { body = usual.body } = fault
  return {
    status: fault.status ?? usual.status,
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

/**
 * Hands the answer to the socket, as the fault has it, and says how the call ended. Where
 * `isLast()`, when it comes to that, the connection is closed after the answer.
 */
export async function send(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  isLast: () => boolean,
): Promise<{ end: CallEnd; status: number | null }> {
  const { socket } = response
  if (fault?.delayMs !== undefined) await unlessGone(response, fault.delayMs)
  if (socket === null || socket.destroyed) return { end: 'aborted', status: null }
  if (fault?.hang) return { end: 'hung', status: null }
  if (fault?.reset === 'after-read') {
    socket.resetAndDestroy()
    return { end: 'reset', status: null }
  }
  if (fault?.raw !== undefined) {
    socket.end(fault.raw, 'latin1', () => socket.destroy())
    return { end: 'cut-off', status: null }
  }
  const { status, headers, body } = answer
  if (isLast()) response.setHeader('connection', 'close')
  const bytes = Buffer.from(body)
  if (fault?.reset === 'mid-answer' || fault?.cutOff) {
    response.writeHead(status, { ...headers, 'content-length': Math.max(2, bytes.length) })
    const half = bytes.subarray(0, Math.floor(bytes.length / 2))
    response.write(half.length > 0 ? half : ' ', () => {
      if (fault.cutOff) socket.end(() => socket.destroy())
      // Some kernels throw away what the caller has not read yet when a reset arrives.
      else setTimeout(() => socket.resetAndDestroy(), 10).unref()
    })
    return { end: fault.cutOff ? 'cut-off' : 'reset', status }
  }
  const bodiless = status === 204 || status === 205 || status === 304
  const framed = bodiless || headers['transfer-encoding'] !== undefined
  response.writeHead(status, framed ? headers : { 'content-length': bytes.length, ...headers })
  response.end(bodiless ? undefined : bytes)
  return { end: 'answered', status }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** Waits, unless the caller hangs up first. */
async function unlessGone(response: ServerResponse, delayMs: number): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  response.once('close', leave)
  try {
    await delay(delayMs, undefined, { signal: gone.signal })
  } catch {
    // Gone: the socket is destroyed, and the caller of this function sees that.
  } finally {
    response.off('close', leave)
  }
}
