import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'

/** The browser's half sends less. */
const MAX_REPORT_BYTES = 65_536
const MAX_TOKENS = 100

/** A report's tokens, unchecked, or what was expected of a report that is none. */
export type Report = readonly string[] | { readonly expected: string }

/**
 * Reads a report: a JSON array of tokens. It never holds more of one than a browser's half sends.
 *
 * @param body what a body parser has made of it already, if one has
 */
export async function readReport(req: IncomingMessage, body: unknown): Promise<Report> {
  if (Array.isArray(body)) return checked(body)
  if (typeof body === 'string') return parsed(body)
  if (body instanceof Uint8Array) return parsed(Buffer.from(body).toString())
  if (req.readableDidRead) {
    return { expected: 'a body that no middleware before impressions() has used up' }
  }
  const text = await readText(req)
  return text === undefined ? { expected: A_SHORT_BODY } : parsed(text)
}

const A_SHORT_BODY = `a whole body of at most ${MAX_REPORT_BYTES} bytes`

function parsed(text: string): Report {
  if (text.length > MAX_REPORT_BYTES) return { expected: A_SHORT_BODY }
  try {
    return checked(JSON.parse(text))
  } catch {
    return { expected: 'JSON' }
  }
}

function checked(value: unknown): Report {
  const isReport =
    Array.isArray(value) &&
    value.length <= MAX_TOKENS &&
    value.every((token) => typeof token === 'string')
  return isReport ? value : { expected: `an array of at most ${MAX_TOKENS} tokens` }
}

/** The body; `undefined` if it broke off or is too long, and then no more of it is read. */
async function readText(req: IncomingMessage): Promise<string | undefined> {
  if (Number(req.headers['content-length']) > MAX_REPORT_BYTES) return undefined
  // Of what has ended already nothing more is heard.
  if (req.readableEnded || req.destroyed) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve) => {
    req.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onBreak)
    // A middleware before may have paused it.
    req.resume()

    // Text, where a middleware before has set an encoding.
    function onData(chunk: Buffer | string): void {
      const part = Buffer.from(chunk)
      bytes += part.length
      if (bytes <= MAX_REPORT_BYTES) chunks.push(part)
      else {
        closeWhenAnswered(req)
        onBreak()
      }
    }
    function onEnd(): void {
      end(Buffer.concat(chunks).toString())
    }
    function onBreak(): void {
      req.pause()
      end(undefined)
    }
    function end(text: string | undefined): void {
      // Not 'error': one that comes later would end the process.
      req.off('data', onData).off('end', onEnd).off('close', onBreak)
      resolve(text)
    }
  })
}

/** Over HTTP/2 there is no connection to close; its stream would wait for the rest for good. */
function closeWhenAnswered(req: IncomingMessage): void {
  const stream = 'stream' in req ? req.stream : undefined
  if (!(stream instanceof Duplex)) return
  // Not at once: since Node.js 22 a stream that is reset in the same turn takes its answer along.
  stream.once('finish', () => setImmediate(() => stream.destroy()))
}
