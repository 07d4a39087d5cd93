import { decodeText } from './decode-text.js'

const REDACTED = '[redacted]'

/** Headers that hold no secret, so that a reason may repeat their values. */
const PUBLIC_HEADERS = new Set(['content-type', 'accept', 'user-agent'])

/**
 * This many characters in a row that a text and a secret have in common are removed. A shorter
 * secret is only removed as a whole word, because an API version, for example, is no secret.
 */
const MIN_PART = 8

/**
 * Removes the secrets of a request from a network's text: some networks echo the key. They are found
 * as they are and in other capitals, encoded (URL, HTML, JSON, base64, hex, also several times or
 * partly), split by spaces, and truncated.
 */
export function redact(
  text: string,
  headers: Readonly<Record<string, string>>,
  secrets: readonly string[] = [],
): string {
  let redacted = text
  for (const secret of [...listSecrets(headers), ...secrets]) {
    if (secret.length >= MIN_PART) redacted = redactParts(redacted, secret)
    else if (secret !== '') redacted = redacted.replaceAll(toWholeWord(secret), REDACTED)
  }
  return redacted
}

function listSecrets(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => !PUBLIC_HEADERS.has(name.toLowerCase()))
    .flatMap(([, value]) => {
      // Without the scheme of `Bearer <key>`, so that the key is found with and without it.
      const secret = value.slice(value.lastIndexOf(' ') + 1)
      const isBasic = /^basic /i.test(value)
      return isBasic ? [secret, Buffer.from(secret, 'base64').toString()] : [secret]
    })
}

function toWholeWord(secret: string): RegExp {
  const escaped = secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  return new RegExp(`(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`, 'g')
}

function redactParts(text: string, secret: string): string {
  const verbatim = text.replaceAll(secret, REDACTED)
  const parts = getParts(secret)
  const { characters, starts, ends } = decodeText(verbatim)
  let redacted = ''
  let shownTo = 0
  for (let at = 0; at + MIN_PART <= characters.length; at += 1) {
    if (!parts.has(characters.slice(at, at + MIN_PART))) continue
    const from = starts[at] ?? 0
    // Parts overlap where more than eight characters are the secret's.
    if (from >= shownTo) redacted += verbatim.slice(shownTo, from) + REDACTED
    shownTo = ends[at + MIN_PART - 1] ?? verbatim.length
  }
  return redacted + verbatim.slice(shownTo)
}

const MAX_CACHED_SECRETS = 100
/** Failing calls are many, and their secrets are few. */
const partsBySecret = new Map<string, ReadonlySet<string>>()

/** All parts of a secret that have eight characters, in each form that decoding does not undo. */
function getParts(secret: string): ReadonlySet<string> {
  const cached = partsBySecret.get(secret)
  if (cached) return cached
  const parts = new Set<string>()
  for (const form of listForms(secret)) {
    const { characters } = decodeText(form)
    for (let at = 0; at + MIN_PART <= characters.length; at += 1) {
      parts.add(characters.slice(at, at + MIN_PART))
    }
  }
  if (partsBySecret.size >= MAX_CACHED_SECRETS) partsBySecret.clear()
  partsBySecret.set(secret, parts)
  return parts
}

function listForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    // Decoded, it has one character per byte.
    encodeURIComponent(secret.toWellFormed()),
    bytes.toString('hex'),
    ...[0, 1, 2].map((offset) => encodeInBase64(bytes, offset)),
  ]
}

/**
 * The base64 of `bytes` behind `offset` other bytes, as in `user:<key>`, without the digits at either
 * end that depend on the bytes around it.
 */
export function encodeInBase64(bytes: Buffer, offset: number): string {
  const base64 = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
  return base64.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
}
