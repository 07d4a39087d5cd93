import { z } from 'zod'
import { ConfigurationError, type ConfigurationErrorCode, describeError } from './errors.js'
import type { Log } from './logger.js'

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
          const known = listOptionsAt(schema, issue.path)
          return `${dotted([...issue.path, key])}: there is no such option${known}`
        })
      : [`${dotted(issue.path)}: ${rewordMessage(issue.message)}`],
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
function rewordMessage(message: string): string {
  return message
    .replace(/^Invalid (input|option): /, '')
    .replace(/^expected (\w+)(?=, received)/, (_, type) => `expected ${TYPES.get(type) ?? type}`)
    .replaceAll('"|"', '" or "')
}

/** The options that there are where `path` leads. */
function listOptionsAt(schema: z.ZodType, path: readonly PropertyKey[]): string {
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

/** What stands for an answer that never came; the log has said why. */
export const FAILED = Symbol('failed')

/**
 * Runs a function that the user configured. What it throws is logged and costs the page nothing.
 *
 * @returns `FAILED` if it threw, or if it answered with a promise, which no page waits for
 */
export function callOption<Source>(
  option: string,
  answer: (source: Source) => unknown,
  source: Source,
  log: Log,
): unknown {
  try {
    const answered = answer(source)
    if (!(answered instanceof Promise)) return answered
    // Unheard, its rejection would end the process.
    answered.catch(() => {})
    log.error(
      `option ${option} promises`,
      `the option ${option} answered with a promise, and is asked while the page renders: let a ` +
        'middleware wait for what it needs, and read that here',
    )
  } catch (thrown) {
    log.error(`option ${option} threw`, `the option ${option} threw: ${describeError(thrown)}`)
  }
  return FAILED
}
