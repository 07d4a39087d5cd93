import { z } from 'zod'
import { ConfigurationError, type ConfigurationErrorCode } from './errors.js'

/** A function, of whatever shape: what it returns is checked when it is called. */
export const aFunction = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
)

/** A whole number, with one message for all that it may fail at. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : `of at least ${min}`
  const error = `expected a whole number ${range}`
  return z
    .number(error)
    .refine((number) => Number.isSafeInteger(number) && number >= min && number <= max, error)
}

/**
 * Checks what a user configured.
 *
 * @param subject what was called, e.g. `ens()`
 * @throws {ConfigurationError} one readable message: each wrong path, and what was expected there.
 *   Values are never shown: one of them may be a key.
 */
export function checkOptions<Schema extends z.ZodType>(
  subject: string,
  schema: Schema,
  options: unknown,
  code: ConfigurationErrorCode = 'invalid-options',
): z.output<Schema> {
  const checked = schema.safeParse(options)
  if (checked.success) return checked.data

  const complaints = checked.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => {
          const known = namesAt(schema, issue.path)
          return `${dotted([...issue.path, key])}: there is no such option${known}`
        })
      : [`${dotted(issue.path)}: ${inWords(issue.message)}`],
  )
  throw new ConfigurationError(
    code,
    complaints.length === 1
      ? `${subject}: ${complaints[0]}`
      : [`${subject}: ${complaints.length} options are wrong:`, ...complaints].join('\n  - '),
  )
}

function dotted(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'options' : path.map(String).join('.')
}

const TYPES = new Map([
  ['array', 'an array'],
  ['boolean', 'true or false'],
  ['object', 'an object'],
  ['string', 'a string'],
])

/** zod's own messages, for people: `expected one of "skip"|"count"`. */
function inWords(message: string): string {
  return message
    .replace(/^Invalid (input|option): /, '')
    .replace(/^expected (\w+)(?=, received)/, (_, type) => `expected ${TYPES.get(type) ?? type}`)
    .replaceAll('"|"', '" or "')
}

/** The options that there are where `path` leads. */
function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): string {
  let at: unknown = schema
  for (const step of path) {
    const object = unwrap(at)
    at = object instanceof z.ZodObject ? object.shape[String(step)] : undefined
  }
  const object = unwrap(at)
  return object instanceof z.ZodObject ? ` (there are ${Object.keys(object.shape).join(', ')})` : ''
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema
}
