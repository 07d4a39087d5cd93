import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { readBody } from '../request/read-body.js'
import { isSameOrigin } from './same-origin.js'

/** Above the client script's own limits. */
const MAX_REPORT_BYTES = 65_536
const MAX_TOKENS = 100
const BODY_TIMEOUT_MS = 10_000

const EXPECTED_BODY = `a complete body of at most ${MAX_REPORT_BYTES} bytes in ${BODY_TIMEOUT_MS / 1_000} s`

/** The tokens of a report, not verified yet; or, for an invalid report, what was expected. */
export type Report = readonly string[] | { readonly expected: string }

/**
 * Reads a report: a JSON array of tokens. Headers are checked first, so that other sites cannot make
 * the server hold a body.
 *
 * @param body what a body parser has already made of the body, if one ran
 */
export async function readReport(
  req: IncomingMessage,
  body: unknown,
  clock: Clock,
): Promise<Report> {
  const { 'content-encoding': encoding = 'identity' } = req.headers
  if (!isSameOrigin(req.headers)) return rejectUnread(req, 'a request from a page of this site')
  if (encoding !== 'identity') return rejectUnread(req, 'no Content-Encoding')
  if (Array.isArray(body)) return toReport(body)
  if (typeof body === 'string') return parseReport(body)
  if (body instanceof Uint8Array) return parseReport(Buffer.from(body).toString())
  if (req.readableDidRead) {
    return { expected: 'a body that no middleware before impressions() has consumed' }
  }
  const read = await readBody(req, MAX_REPORT_BYTES, { clock, timeoutMs: BODY_TIMEOUT_MS })
  if (read.status === 'complete') return parseReport(read.bytes.toString())
  return rejectUnread(req, EXPECTED_BODY)
}

function rejectUnread(req: IncomingMessage, expected: string): Report {
  if (!req.readableEnded) closeStreamWhenAnswered(req)
  return { expected }
}

function parseReport(text: string): Report {
  if (text.length > MAX_REPORT_BYTES) return { expected: EXPECTED_BODY }
  try {
    return toReport(JSON.parse(text))
  } catch {
    return { expected: 'JSON' }
  }
}

function toReport(value: unknown): Report {
  const isReport =
    Array.isArray(value) &&
    value.length <= MAX_TOKENS &&
    value.every((token) => typeof token === 'string')
  return isReport ? value : { expected: `an array of at most ${MAX_TOKENS} tokens` }
}

/**
 * An HTTP/2 stream whose body is not read to its end would stay open. Over HTTP/1.1 the answer's
 * `Connection: close` takes care of this.
 */
function closeStreamWhenAnswered(req: IncomingMessage): void {
  const stream = 'stream' in req ? req.stream : undefined
  if (!(stream instanceof Duplex)) return
  // In a later turn: since Node.js 22, a stream reset in the same turn loses its answer.
  stream.once('finish', () => setImmediate(() => stream.destroy()))
}
