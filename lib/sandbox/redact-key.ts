import type { IncomingHttpHeaders } from 'node:http'
import { encodeInBase64 } from '../delivery/call/redact.js'
import { parseJsonOrText } from './json-input.js'

const REDACTED = '[redacted]'
const MAX_DEPTH = 100

/** Headers that usually hold a credential, such as `authorization`, `x-api-key` and `cookie`. */
const CREDENTIAL_HEADER = /auth|cookie|credential|password|secret|session|signature|token|key/
const PUBLIC_HEADERS: ReadonlySet<string> = new Set(['idempotency-key', 'sec-websocket-key'])

/** A shorter key is only removed where it stands alone: as part of a word, it is no secret. */
const MIN_LENGTH = 8

/** Replaces a key in a text. */
export type KeyRedactor = (text: string) => string

/** Replaces the key wherever it occurs in a text: as it is, for a URL or JSON, or in base64. */
export function createKeyRedactor(apiKey: string): KeyRedactor {
  const forms = [apiKey, escapeForJson(apiKey), ...listUrlForms(apiKey), ...listBase64(apiKey)]
  const patterns = [...new Set(forms)]
    .filter((form) => form !== '')
    .map((form) => (form.length >= MIN_LENGTH ? form : matchWholeWord(form)))
  return (text) =>
    patterns.reduce<string>((rest, pattern) => rest.replaceAll(pattern, REDACTED), text)
}

/** @param name in lower case */
export function isCredentialHeader(name: string): boolean {
  return CREDENTIAL_HEADER.test(name) && !PUBLIC_HEADERS.has(name)
}

/**
 * The headers to store in the ledger. A wrong key is redacted as well: it may be the real key of a
 * program that was pointed at the sandbox.
 */
export function redactHeaders(
  headers: IncomingHttpHeaders,
  redact: KeyRedactor,
): Record<string, string> {
  const redacted: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    const text = Array.isArray(value) ? value.join(', ') : value
    redacted[name] = isCredentialHeader(name) ? REDACTED : redact(text)
  }
  return redacted
}

/** A copy of an impression's fields, without the key in their texts. */
export function redactFields<Fields extends object>(fields: Fields, redact: KeyRedactor): Fields {
  const redacted = { ...fields }
  for (const name of Object.keys(fields) as (keyof Fields)[]) {
    const value = fields[name]
    if (typeof value === 'string') Object.assign(redacted, { [name]: redact(value) })
  }
  return redacted
}

/**
 * A body for the ledger: the parsed JSON, or the text if it is not JSON, or nested so deeply that
 * JSON.stringify would overflow the stack.
 */
export function redactBody(text: string | undefined, redact: KeyRedactor): unknown {
  if (text === undefined) return undefined
  const redacted = redact(text)
  const body = parseJsonOrText(redacted)
  if (isNested(body, MAX_DEPTH)) return redacted
  // Only an escape, such as \u0061, can still hide the key: JSON.stringify undoes those.
  if (body === redacted || !redacted.includes('\\')) return body
  return parseJsonOrText(redact(JSON.stringify(body)))
}

/** Whether objects and arrays are nested in more than `levels` levels. */
function isNested(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isNested(inner, levels - 1))
}

/** Encoders differ in which of `!'()*~` and the space they encode, and in the case of the digits. */
function listUrlForms(apiKey: string): readonly string[] {
  const encoded = encodeURIComponent(apiKey.toWellFormed())
  const strict = encoded.replace(/[!'()*]/g, (character) => `%${toHex(character)}`)
  const form = new URLSearchParams([['', apiKey]]).toString().slice(1)
  return [encoded, strict, form].flatMap((text) => [
    text,
    text.replace(/%../g, (octet) => octet.toLowerCase()),
  ])
}

/** In both alphabets, alone and behind other text, as in `user:<key>`. */
function listBase64(apiKey: string): readonly string[] {
  const bytes = Buffer.from(apiKey)
  if (bytes.length < MIN_LENGTH) return []
  return [0, 1, 2].flatMap((offset) => {
    const base64 = encodeInBase64(bytes, offset)
    return [base64, base64.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

function toHex(character: string): string {
  return Buffer.from(character).toString('hex').toUpperCase()
}

function escapeForJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function matchWholeWord(text: string): RegExp {
  const escaped = text.replace(/[\\^$.*+?()[\]{}|-]/g, '\\$&')
  return new RegExp(`(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`, 'g')
}
