import { z } from 'zod'
import { ConfigurationError, type ConfigurationErrorCode, describeError } from './errors.js'
import type { Log } from './logger.js'
import { suggestName } from './similar-name.js'

type AnyFunction = (...args: never[]) => unknown

/**
 * The schema of a function.
 *
 * @typeParam Type its type, which cannot be checked here: what it returns is checked on each call
 */
export function callback<Type extends AnyFunction = AnyFunction>() {
  return z.custom<Type>((value) => typeof value === 'function', 'expected a function')
}

/** The schema of a whole number, with one message for every way to be wrong. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : `of at least ${min}`
  const error = `expected a whole number ${range}`
  return z
    .number(error)
    .refine((number) => Number.isSafeInteger(number) && number >= min && number <= max, error)
}

/**
 * Checks options and fills in the schema's defaults.
 *
 * @param subject the function that was called, e.g. `ens()`
 * @throws {ConfigurationError} one message with every wrong option and what it should be. Values are
 *   never shown, because one of them may be a key.
 */
export function checkOptions<Schema extends z.ZodType>(
  subject: string,
  schema: Schema,
  options: unknown,
  code: ConfigurationErrorCode = 'invalid-options',
): z.output<Schema> {
  const result = schema.safeParse(options)
  if (result.success) return result.data

  const problems = result.error.issues.flatMap((issue) => describeIssue(schema, issue))
  throw new ConfigurationError(
    code,
    problems.length === 1
      ? `${subject}: ${problems[0]}`
      : [`${subject}: ${problems.length} options are wrong:`, ...problems].join('\n  - '),
  )
}

function describeIssue(schema: z.ZodType, issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') {
    return [`${formatPath(issue.path)}: ${rewordMessage(issue.message)}`]
  }
  const known = listOptionsAt(schema, issue.path)
  const list = known.length > 0 ? ` (there are ${known.join(', ')})` : ''
  return issue.keys.map((key) => {
    const path = formatPath([...issue.path, key])
    return `${path}: there is no such option${list}${suggestName(key, known)}`
  })
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'options' : path.map(String).join('.')
}

const TYPE_NAMES = new Map([
  ['array', 'an array'],
  ['boolean', 'true or false'],
  ['object', 'an object'],
  ['string', 'a string'],
])

/** Rewords zod's own messages: `expected one of "skip" or "count"`. */
function rewordMessage(message: string): string {
  return message
    .replace(/^Invalid (input|option): /, '')
    .replace(
      /^expected (\w+)(?=, received)/,
      (_, type) => `expected ${TYPE_NAMES.get(type) ?? type}`,
    )
    .replaceAll('"|"', '" or "')
}

/** Lists the options that exist at `path`. */
function listOptionsAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = unwrap(schema)
  for (const step of path) {
    at = at instanceof z.ZodObject ? unwrap(at.shape[String(step)]) : undefined
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

/** The schema inside of defaults and the like. */
function unwrap(schema: unknown): unknown {
  const isWrapper =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  return isWrapper ? unwrap(schema.unwrap()) : schema
}

/** The result of a function option that failed. The failure has been logged. */
export const FAILED = Symbol('failed')

/**
 * Calls a function that the user configured. Its errors are logged and never reach the page.
 *
 * @returns `FAILED` if it threw, or if it returned a promise, which a page cannot wait for
 */
export function callOption<Source>(
  option: string,
  call: (source: Source) => unknown,
  source: Source,
  log: Log,
): unknown {
  try {
    const result = call(source)
    if (!(result instanceof Promise)) return result
    // Without a handler, its rejection would end the process.
    result.catch(() => {})
    log.error(
      `option-failed ${option} promises`,
      `the option ${option} returned a promise, but a page cannot wait for it: await it in an ` +
        'earlier middleware, and return its value here',
    )
  } catch (thrown) {
    log.error(
      `option-failed ${option} threw`,
      `the option ${option} threw: ${describeError(thrown)}`,
    )
  }
  return FAILED
}
