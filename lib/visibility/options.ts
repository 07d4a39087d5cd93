import { createSecretKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { wholeNumber } from '../check-options.js'
import { ConfigurationError, InvalidImpressionError } from '../errors.js'

/** The option `visibility`, as the user writes it. */
export interface VisibilityOptions {
  /**
   * Signs the tokens in your pages: at least 32 random bytes, the same in every process. Placeholders
   * (`change-me…`) and texts that repeat themselves throw as well. To rotate it, pass
   * a list: the first secret signs, and all of them verify. Required: the type allows `undefined` so
   * that you can pass an environment variable, but a missing secret throws at start-up.
   */
  secret: string | readonly string[] | undefined
  /** The path that serves the client script and receives its reports. @default '/_visible' */
  path?: string | undefined
  /**
   * How long after a page was rendered its ads can still count, in milliseconds: at most
   * `dedupe.ttlMs`. @default 1_800_000
   */
  tokenTtlMs?: number | undefined
}

/** The option `visibility`, validated, with defaults filled in. */
export interface Visibility {
  readonly secrets: readonly KeyObject[]
  readonly path: string
  readonly tokenTtlMs: number
}

/** Everything that the middleware serves itself is below this path. */
export const DEFAULT_PATH = '/_visible'
const DEFAULT_TOKEN_TTL_MS = 30 * 60_000
const MIN_SECRET_BYTES = 32

/** A random secret of 32 characters has more, even if they are hexadecimal digits. */
const MIN_DISTINCT_CHARACTERS = 8
/** Text that stands for a secret in documentation or templates, or a command that was not run. */
const PLACEHOLDER =
  /change.?(me|this)|replace.?(me|this)|your.?(own.?)?secret|placeholder|insert.?here|\$[({]|<[\w -]+>/i

/** Whether the text is hard to guess, as far as a look at it can tell. */
function isSecret(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    Buffer.byteLength(value) >= MIN_SECRET_BYTES &&
    new Set(value).size >= MIN_DISTINCT_CHARACTERS &&
    !PLACEHOLDER.test(value) &&
    !repeatsItself(value)
  )
}

/** Whether the text is a shorter one, over and over: `pass-pass-pass-pa`. */
function repeatsItself(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.startsWith(text.slice(period))) return true
  }
  return false
}

function describeSecretProblem(value: unknown): string {
  const problem =
    value === undefined
      ? 'got nothing: is its environment variable set?'
      : 'neither a placeholder nor a repeated text'
  return (
    `expected at least ${MIN_SECRET_BYTES} random bytes, such as \`openssl rand -base64 32\` prints, or a ` +
    `list of these; ${problem}`
  )
}

export const visibilitySchema = z.strictObject({
  secret: z.custom<string | readonly string[]>(
    (value) => (Array.isArray(value) ? value.length > 0 && value.every(isSecret) : isSecret(value)),
    { error: ({ input }) => describeSecretProblem(input) },
  ),
  path: z
    .string()
    // Browsers resolve the segments . and .. before they send a request.
    .regex(
      /^(\/(?!\.\.?(\/|$))[\w.~-]+)+$/,
      'expected a path such as /_visible, of letters, digits and -_.~',
    )
    .default(DEFAULT_PATH),
  // No default here: it depends on another option, so `resolveVisibility` sets it.
  tokenTtlMs: wholeNumber(1).optional(),
})

/**
 * @param options what `visibilitySchema` returned
 * @param subject the function that was called, for the error message
 * @throws {ConfigurationError} if tokens would outlive the dedupe entries that reject their replays
 */
export function resolveVisibility(
  options: z.output<typeof visibilitySchema> | undefined,
  dedupe: { readonly ttlMs: number },
  subject: string,
): Visibility | undefined {
  if (!options) return undefined
  const { secret, path, tokenTtlMs = Math.min(DEFAULT_TOKEN_TTL_MS, dedupe.ttlMs) } = options
  if (tokenTtlMs > dedupe.ttlMs) {
    throw new ConfigurationError(
      'invalid-options',
      `${subject}: visibility.tokenTtlMs: expected at most dedupe.ttlMs (${dedupe.ttlMs}): a token ` +
        'must not outlive the dedupe entry that rejects its replay',
    )
  }
  return Object.freeze({
    // Unlike strings, key objects never show their content when printed or logged.
    secrets: [secret].flat().map((text) => createSecretKey(text, 'utf8')),
    path,
    tokenTtlMs,
  })
}

/** @param method the method that requires the option */
export function createVisibilityOffError(method: string): InvalidImpressionError {
  return new InvalidImpressionError(
    method,
    'the option visibility: { secret } to be set',
    undefined,
  )
}
