import { addAddress } from './docs-address.js'
import { copyText } from './impression.js'

export const CONFIGURATION_ERROR_CODES = [
  'no-network',
  'invalid-options',
  'insecure-base-url',
  'invalid-network',
] as const

/**
 * What is wrong with the configuration. docs/errors.md explains each code.
 *
 * @useDeclaredType
 */
export type ConfigurationErrorCode = (typeof CONFIGURATION_ERROR_CODES)[number]

/** The configuration is invalid. Thrown when the middleware or a tracker is created. */
export class ConfigurationError extends Error {
  /** Tells the class apart where `instanceof` cannot. */
  override readonly name = 'ConfigurationError'
  /** Stable, for programs. See docs/errors.md. */
  readonly code: ConfigurationErrorCode

  constructor(code: ConfigurationErrorCode, message: string) {
    super(addAddress(`ad-impressions: ${message}`, 'errors', code))
    this.code = code
  }
}

/**
 * An input to `trackImpression` cannot be sent. The outcome is `invalid`; with `strict: true` the
 * error is thrown as well. A network's `parse` throws it for an input that it cannot accept.
 */
export class InvalidImpressionError extends Error {
  /** Tells the class apart where `instanceof` cannot. */
  override readonly name = 'InvalidImpressionError'
  /** The field to fix, e.g. `placement`; `input` if the argument itself is wrong. */
  readonly field: string
  /** What the field should be, e.g. `a positive integer`. */
  readonly expected: string
  /** The `typeof` of the value that was given. */
  readonly given: string

  /**
   * @param field the field to fix, e.g. `placement`
   * @param expected what the field should be, e.g. `a positive integer`
   * @param value what was given; the message shows it shortened
   */
  constructor(field: string, expected: string, value: unknown) {
    // Any of these may come from an input.
    const [printableField, printableExpected] = [toPrintable(field), toPrintable(expected)]
    super(`${printableField}: expected ${printableExpected}, got ${describeValue(value)}`)
    this.field = printableField
    this.expected = printableExpected
    this.given = typeof value
  }
}

/** Turns whatever a network's `parse` threw into an `InvalidImpressionError`. Never throws. */
export function toInvalidImpressionError(thrown: unknown): InvalidImpressionError {
  try {
    if (thrown instanceof InvalidImpressionError) {
      // A proxy or a getter may throw when a property is read: read them all inside the `try`.
      const { message, field, given, expected } = thrown
      if ([message, field, given, expected].every((part) => typeof part === 'string')) return thrown
    }
  } catch {
    // Not a usable error: described below.
  }
  const expected = `an input that can be read (${describeError(thrown)})`
  return new InvalidImpressionError('input', expected, {})
}

const MAX_VALUE_CHARACTERS = 40

/** Describes a value for an error message: short, on one line, and without running its code. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'string':
      return value.length > MAX_VALUE_CHARACTERS
        ? `${quote(value.slice(0, MAX_VALUE_CHARACTERS))}… (${value.length} characters)`
        : quote(value)
    case 'object':
      if (value === null) return 'null'
      return isArray(value) ? 'an array' : 'an object'
    case 'function':
      return 'a function'
    case 'bigint':
      return 'a bigint'
    case 'symbol':
      return 'a symbol'
    default:
      return String(value)
  }
}

/** `JSON.stringify` leaves some control characters and everything invisible unescaped. */
function quote(text: string): string {
  return JSON.stringify(text).replace(UNPRINTABLE, escapeCodeUnits)
}

/** `\u202e`, and two of these for a character beyond U+FFFF. */
function escapeCodeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const code = character.charCodeAt(index).toString(16)
    return `\\u${code.padStart(4, '0')}`
  }).join('')
}

function isArray(value: object): boolean {
  try {
    return Array.isArray(value)
  } catch {
    // `Array.isArray` throws for a revoked proxy.
    return false
  }
}

/**
 * The message of whatever was thrown: on one line and shortened. Never throws.
 *
 * @param redact removes secrets: see `toOneLine`
 */
export function describeError(thrown: unknown, redact?: (printable: string) => string): string {
  try {
    const message = thrown instanceof Error ? thrown.message : describeValue(thrown)
    return toOneLine(String(message), redact)
  } catch {
    return 'an error without a message'
  }
}

/**
 * Characters that forge log lines or hide what they say: control characters, line separators, and
 * whatever is invisible or reorders the text around it (CVE-2021-42574).
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const LINE_BREAKING = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

const MAX_LINE_CHARACTERS = 200
/** Beyond this nothing of a foreign text is looked at, so that a long one costs no more. */
const MAX_READ_CHARACTERS = 1_000

/**
 * Makes foreign text safe to log: printable, on one line, and short.
 *
 * @param redact removes secrets. It gets the printable text, because invisible characters could
 *   hide a secret from it, and it gets more than is shown, because shortening could cut one off.
 */
export function toOneLine(text: string, redact = (printable: string) => printable): string {
  const line = redact(toPrintable(text.slice(0, MAX_READ_CHARACTERS)))
  const isWhole = line.length <= MAX_LINE_CHARACTERS && text.length <= MAX_READ_CHARACTERS
  return isWhole
    ? copyText(line.toWellFormed())
    : `${copyText(line.slice(0, MAX_LINE_CHARACTERS).toWellFormed())}…`
}

/** The text without what a log must not contain; line breaks become spaces. */
function toPrintable(text: string): string {
  return text.replace(LINE_BREAKING, ' ').replace(UNPRINTABLE, '').trim()
}
