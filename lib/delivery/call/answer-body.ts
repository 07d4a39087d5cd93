import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import type { Answer } from '../../networks/answer.js'

/** An answer's body is kept up to here, both as it arrives and decompressed. */
export const MAX_BODY_BYTES = 1_024 * 1_024

/** A body as text. */
export interface BodyText {
  readonly text: string
  /** Why the text is not the body, or not all of it: the status has to decide. */
  readonly unreadable?: string | undefined
}

/** The bytes of a body while they arrive: bounded, however small the chunks are. */
export class BodyBytes {
  /** The bytes, and behind `#length` room for more. */
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #isTooLong = false

  /** Whether there were more bytes than are kept. */
  get isTooLong(): boolean {
    return this.#isTooLong
  }

  append(chunk: Buffer): void {
    const length = Math.min(this.#length + chunk.length, MAX_BODY_BYTES)
    this.#isTooLong ||= this.#length + chunk.length > MAX_BODY_BYTES
    if (this.#length === 0) {
      // Most bodies arrive in one chunk, which need not be copied.
      this.#bytes = chunk
    } else {
      if (length > this.#bytes.length) this.#grow(length)
      chunk.copy(this.#bytes, this.#length, 0, length - this.#length)
    }
    this.#length = length
  }

  /** Valid until the next `append`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(length: number): void {
    const grown = Buffer.alloc(Math.min(Math.max(length, 2 * this.#bytes.length), MAX_BODY_BYTES))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

/**
 * Decodes a body: `Content-Encoding`, then the character encoding. Servers compress unasked, and
 * a refusal that nobody can read would look like a success.
 */
export function decodeBody(body: BodyBytes, headers: Answer['headers']): BodyText {
  const { bytes } = body
  const tooLong = body.isTooLong ? `it is longer than ${MAX_BODY_BYTES} bytes` : undefined
  const codings = listCodings(headers['content-encoding'])
  const charset = readCharset(headers['content-type'])
  if (codings.length === 0 && isPlain(bytes, charset)) {
    return { text: bytes.toString(), unreadable: tooLong }
  }
  const plain = decompress(bytes, codings)
  // Some servers name a coding that they have not applied.
  const text = decodeText(plain ?? bytes, charset)
  const isText = !BINARY.test(text) && (plain !== undefined || !text.includes('\ufffd'))
  if (isText) return { text, unreadable: tooLong }
  return { text: '', unreadable: tooLong ?? `its encoding is ${codings.join(', ') || 'unknown'}` }
}

/** The codings in the order in which they were applied. */
function listCodings(header: Answer['headers'][string]): readonly string[] {
  if (header === undefined) return NO_CODINGS
  return String(header)
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
}

const NO_CODINGS: readonly string[] = []
/** Each coding costs a decompression. One is normal. */
const MAX_CODINGS = 3

const LIMITS = { maxOutputLength: MAX_BODY_BYTES }
// A body that broke off is decompressed as far as it goes.
const DEFLATE_OPTIONS = { ...LIMITS, finishFlush: constants.Z_SYNC_FLUSH }
const BROTLI_OPTIONS = { ...LIMITS, finishFlush: constants.BROTLI_OPERATION_FLUSH }

const DECOMPRESSORS: ReadonlyMap<string, (bytes: Buffer) => Buffer> = new Map([
  ['gzip', (bytes) => gunzipSync(bytes, DEFLATE_OPTIONS)],
  ['x-gzip', (bytes) => gunzipSync(bytes, DEFLATE_OPTIONS)],
  ['br', (bytes) => brotliDecompressSync(bytes, BROTLI_OPTIONS)],
  ['deflate', inflate],
])

/** Some servers send `deflate` without the zlib format around it (RFC 9110 section 8.4.1.2). */
function inflate(bytes: Buffer): Buffer {
  const hasZlibHeader = ((bytes[0] ?? 0) & 0x0f) === 8
  return (hasZlibHeader ? inflateSync : inflateRawSync)(bytes, DEFLATE_OPTIONS)
}

/** `undefined` if it cannot be decompressed, or would be longer than the limit. */
function decompress(bytes: Buffer, codings: readonly string[]): Buffer | undefined {
  if (codings.length > MAX_CODINGS) return undefined
  try {
    return codings.reduceRight((encoded, coding) => {
      const decompressor = DECOMPRESSORS.get(coding)
      if (!decompressor) throw new Error(`unknown coding: ${coding}`)
      return decompressor(encoded)
    }, bytes)
  } catch {
    return undefined
  }
}

/** The charset of a `Content-Type`; `undefined` if it names none. */
function readCharset(header: Answer['headers'][string]): string | undefined {
  const type = String(header ?? '')
  if (!type.includes('=')) return undefined
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1]?.toLowerCase()
}

/** Whether it is UTF-8, as nearly all bodies are: then nothing else has to be tried. */
function isPlain(bytes: Buffer, charset: string | undefined): boolean {
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return false
  const [first = 0x20, second = 0x20] = bytes
  return second !== 0 && ((first >= 0x20 && first < 0x80) || (first >= 0x09 && first <= 0x0d))
}

/** Decodes by byte order mark, then by what the bytes show to be UTF-16, then by the charset. */
function decodeText(bytes: Buffer, charset: string | undefined): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return decodeAs('utf-16le', bytes)
  if (first === 0xfe && second === 0xff) return decodeAs('utf-16be', bytes)
  // JSON and HTML begin with an ASCII character, and ASCII contains no zero byte.
  if (first !== 0 && second === 0) return decodeAs('utf-16le', bytes)
  if (first === 0 && second !== 0) return decodeAs('utf-16be', bytes)
  return decodeAs(charset?.startsWith('utf-16') ? 'utf-8' : charset, bytes)
}

function decodeAs(charset: string | undefined, bytes: Buffer): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    // An unknown name. Nearly all encodings share the characters of JSON's syntax with UTF-8.
    return new TextDecoder().decode(bytes)
  }
}

/** ASCII's control characters: no text contains them, and compressed data nearly always does. */
const BINARY = /[^\P{Cc}\t\n\v\f\r\u0080-\u009f]/u
