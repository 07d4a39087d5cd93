import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'

/**
 * Headers as an enemy writes them: any of `names`, each missing, one of `values`, one of them
 * within other text, any string at all, 100,000 characters, or repeated.
 */
export function hostileHeaders(
  names: readonly string[],
  values: readonly string[],
): fc.Arbitrary<IncomingHttpHeaders> {
  const text = fc.oneof(
    fc.constantFrom(...values),
    fc.tuple(fc.string(), fc.constantFrom(...values), fc.string()).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('\0', '\t', '\r\n', ';', ',', '"', '(', 'droid ', 'é', '💥'),
    }),
    fc.string({ minLength: 1, maxLength: 12 }).map((part) => part.repeat(100_000 / part.length)),
  )
  const value = fc.oneof({ weight: 6, arbitrary: text }, fc.array(text, { maxLength: 3 }))
  return fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
}
