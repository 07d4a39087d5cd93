import { createSecretKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { wholeNumber } from '../check-options.js'
import { ConfigurationError } from '../errors.js'

/** The option `visibility`. */
export interface VisibilityOptions {
  /**
   * Signs what a page holds of its ads: at least 32 bytes, the same in every process. Of a list the
   * first one signs and all are good for checking, so that a secret can be replaced by and by. It is
   * required: `undefined` is an environment variable that is not set.
   */
  secret: string | readonly string[] | undefined
  /** Where the browser's half is served, and reports to. @default '/_visible' */
  path?: string | undefined
  /**
   * How long after the page was rendered an ad may be seen and count, in milliseconds: at most
   * `dedupe.ttlMs`. @default 1_800_000
   */
  tokenTtlMs?: number | undefined
}

/** The option, checked and complete. */
export interface Visibility {
  readonly secrets: readonly KeyObject[]
  readonly path: string
  readonly tokenTtlMs: number
}

export const VISIBILITY_DEFAULTS = { path: '/_visible', tokenTtlMs: 30 * 60_000 } as const

const MIN_SECRET_BYTES = 32

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && Buffer.byteLength(value) >= MIN_SECRET_BYTES
}

export const visibilitySchema = z.strictObject({
  secret: z.custom<string | readonly string[]>(
    (value) => (Array.isArray(value) ? value.length > 0 && value.every(isSecret) : isSecret(value)),
    `expected at least ${MIN_SECRET_BYTES} bytes, as \`openssl rand -base64 32\` prints them, or a list of such`,
  ),
  path: z
    .string()
    // Browsers take the segments . and .. out of addresses.
    .regex(
      /^(\/(?!\.\.?(\/|$))[\w.~-]+)+$/,
      'expected a path such as /_visible, of letters, digits and -_.~',
    )
    .optional(),
  tokenTtlMs: wholeNumber(1).optional(),
})

/** @throws {ConfigurationError} if a token would outlive what refuses its replay */
export function resolveVisibility(
  options: VisibilityOptions | undefined,
  dedupe: { readonly ttlMs: number },
  subject: string,
): Visibility | undefined {
  if (!options) return undefined
  const { secret = [], path = VISIBILITY_DEFAULTS.path, tokenTtlMs } = options
  if (tokenTtlMs !== undefined && tokenTtlMs > dedupe.ttlMs) {
    throw new ConfigurationError(
      'invalid-options',
      `${subject}: visibility.tokenTtlMs: expected at most dedupe.ttlMs (${dedupe.ttlMs}): a token ` +
        'must not outlive what refuses its replay',
    )
  }
  return Object.freeze({
    // Key objects, for nothing prints what is in them.
    secrets: [secret].flat().map((text) => createSecretKey(text, 'utf8')),
    path,
    tokenTtlMs: tokenTtlMs ?? Math.min(VISIBILITY_DEFAULTS.tokenTtlMs, dedupe.ttlMs),
  })
}
