/** What is wrong with the set-up, as a stable word; the README explains each. */
export type ConfigurationErrorCode =
  | 'no-network'
  | 'invalid-options'
  | 'insecure-base-url'
  | 'invalid-network'

/** The middleware cannot start as it is configured. Thrown at start-up only, never in a request. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  /** What is wrong, as a stable word; the README, "Configuration errors", explains each. */
  readonly code: ConfigurationErrorCode

  constructor(code: ConfigurationErrorCode, message: string) {
    super(`ad-impressions: ${message}`)
    this.code = code
  }
}

/**
 * An input to `trackImpression` cannot be sent. It ends as outcome `invalid`, or is thrown with
 * `strict: true`. A network's `parse` throws it as well.
 */
export class InvalidImpressionError extends Error {
  override readonly name = 'InvalidImpressionError'
  /** The field to mend, e.g. `placement`; `input` if the argument itself is wrong. */
  readonly field: string
  /** What the field should be, e.g. `a positive integer`. */
  readonly expected: string
  /** The type of what was given, as `typeof` names it. */
  readonly given: string

  /** @param value what was given; the message shows it shortened. */
  constructor(field: string, expected: string, value: unknown) {
    super(`${field}: expected ${expected}, got ${describe(value)}`)
    this.field = field
    this.expected = expected
    this.given = typeof value
  }
}

/** What a network's `parse` threw, which may be anything, even a proxy that throws when it is asked. */
export function toInvalidImpressionError(thrown: unknown): InvalidImpressionError {
  try {
    if (thrown instanceof InvalidImpressionError) {
      // Each is read here, where it may throw.
      const { message, field, given, expected } = thrown
      if ([message, field, given, expected].every((part) => typeof part === 'string')) return thrown
    }
  } catch {
    // Then it is not one.
  }
  return new InvalidImpressionError('input', `one that can be read (${describeError(thrown)})`, {})
}

const SHOWN_CHARACTERS = 40

/** A value as an error message shows it: short, on one line, and without running its code. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'string':
      return value.length > SHOWN_CHARACTERS
        ? `${quote(value.slice(0, SHOWN_CHARACTERS))}… (${value.length} characters)`
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

/** JSON leaves some control characters and line separators as they are. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function isArray(value: object): boolean {
  try {
    return Array.isArray(value)
  } catch {
    // A proxy that was revoked.
    return false
  }
}

/** The message of whatever was thrown, on one line, shortened and without running its code twice. */
export function describeError(thrown: unknown): string {
  try {
    const message = thrown instanceof Error ? thrown.message : describe(thrown)
    return oneLine(String(message))
  } catch {
    return 'an error without a message'
  }
}

const LINE_CHARACTERS = 200

/** Text from elsewhere, fit for a log: no control characters (they forge lines), and bounded. */
export function oneLine(text: string): string {
  const short = text.length > LINE_CHARACTERS ? `${text.slice(0, LINE_CHARACTERS)}…` : text
  return short.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}
