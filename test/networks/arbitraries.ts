import fc from 'fast-check'
import type { Fields } from '../../lib/networks/network.js'

/** Any value that an application may pass, good or bad. */
export const anyValue = fc.oneof(
  fc.anything({ withBigInt: true, withBoxedValues: true, withNullPrototype: true }),
  fc.string(),
  fc.integer(),
  fc.constantFrom<unknown>(
    '',
    null,
    undefined,
    Number.NaN,
    Symbol('bad'),
    () => 'bad',
    '\ud800',
    'x'.repeat(10_000),
  ),
)

/** Any values in the fields of a network, some of them left out. */
export function anyFields(network: { readonly fields: readonly string[] }): fc.Arbitrary<Fields> {
  const names = ['campaignId', ...network.fields]
  return fc.record(Object.fromEntries(names.map((name) => [name, anyValue])), { requiredKeys: [] })
}

const anyHeaderValue = fc.option(
  fc.oneof(fc.string(), fc.array(fc.string()), fc.integer().map(String)),
  { nil: undefined },
)

/** Bodies with the members that the networks' own bodies have, of any type. */
const anyEnvelope = fc
  .record(
    {
      status: fc.oneof(fc.constantFrom('success', 'error'), fc.anything()),
      success: fc.oneof(fc.boolean(), fc.anything()),
      count: fc.oneof(fc.integer(), fc.double()),
      title: fc.anything(),
      detail: fc.oneof(fc.string(), fc.anything()),
      error_code: fc.oneof(fc.string(), fc.anything()),
      message: fc.oneof(fc.string(), fc.anything()),
      retryable: fc.oneof(fc.boolean(), fc.anything()),
      retry_after_seconds: fc.oneof(fc.integer(), fc.double(), fc.anything()),
    },
    { requiredKeys: [] },
  )
  .map((body) => serialize(body))

/** Writes JSON with numbers that no double can hold; truncated where JSON cannot express it. */
function serialize(body: object): string {
  try {
    return JSON.stringify(body).replaceAll(':null', ':1e999')
  } catch {
    return '{"status":'
  }
}

/** Any answer, including the bodies of both networks with members of any type. */
export const anyAnswer = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  headers: fc.record(
    { 'retry-after': anyHeaderValue, date: anyHeaderValue, 'ratelimit-reset': anyHeaderValue },
    { requiredKeys: [] },
  ),
  body: fc.oneof(fc.string({ unit: 'binary' }), fc.json(), anyEnvelope),
  atMs: fc.nat(),
})
