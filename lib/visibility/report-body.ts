import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { readBody } from '../request/read-body.js'

/** Above the client script's own limits. */
const MAX_REPORT_BYTES = 65_536
const MAX_TOKENS = 100

const EXPECTED_BODY = `a complete body of at most ${MAX_REPORT_BYTES} bytes`

/** The tokens of a report, not verified yet; or, for an invalid report, what was expected. */
export type Report = readonly string[] | { readonly expected: string }

/**
 * Reads a report: a JSON array of tokens.
 *
 * @param body what a body parser has already made of the body, if one ran
 */
export async function readReport(req: IncomingMessage, body: unknown): Promise<Report> {
  if (Array.isArray(body)) return toReport(body)
  if (typeof body === 'string') return parseReport(body)
  if (body instanceof Uint8Array) return parseReport(Buffer.from(body).toString())
  if (req.readableDidRead) {
    return { expected: 'a body that no middleware before impressions() has consumed' }
  }
  const read = await readBody(req, MAX_REPORT_BYTES)
  if (read.status === 'complete') return parseReport(read.bytes.toString())
  if (read.status === 'too-large') closeStreamWhenAnswered(req)
  return { expected: EXPECTED_BODY }
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
