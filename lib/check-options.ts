import { z } from 'zod'
import { ConfigurationError, type ConfigurationErrorCode } from './errors.js'

/** A function, of whatever shape: what it returns is checked when it is called. */
export const aFunction = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
)

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
      ? issue.keys.map((key) => `${dotted([...issue.path, key])}: there is no such option`)
      : [`${dotted(issue.path)}: ${issue.message.replace(/^Invalid (input|option): /, '')}`],
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
