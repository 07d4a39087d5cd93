import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'

/**
 * Generates headers that an attacker might send. Each of `names` is missing, one of `values`, one of
 * `values` inside other text, any string, 100,000 characters long, or repeated.
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
