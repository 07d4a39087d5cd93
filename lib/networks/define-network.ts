import { z } from 'zod'
import { aFunction, checkOptions, wholeNumber } from '../check-options.js'
import type { Viewer } from '../viewer/viewer.js'
import { checkBaseUrl } from './base-url.js'
import type { Fields, Network, NetworkDefinition } from './network.js'
import { type Answer, verdictOnStatus } from './verdict.js'

const definitionSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short lower-case name such as "acme"')
    .refine((name) => name !== 'unknown', 'expected another name: "unknown" is taken'),
  baseUrl: z.string(),
  fields: z.array(z.string()),
  match: aFunction.optional(),
  parse: aFunction,
  request: aFunction,
  verdict: aFunction.optional(),
  flush: z.enum(['immediate', 'finish']).optional(),
  onUncertain: z.enum(['drop', 'resend']).optional(),
  connections: wholeNumber(1, 1_024).optional(),
  maxBatch: wholeNumber(1, 100_000).optional(),
  windows: z.array(z.strictObject({ limit: wholeNumber(1), windowMs: wholeNumber(1) })).optional(),
})

/**
 * Makes a network of its definition: the way to add one of your own.
 *
 * @throws {ConfigurationError} `invalid-network` or `insecure-base-url`
 */
export function defineNetwork<Item>(definition: NetworkDefinition<Item>): Network<Item> {
  checkOptions('defineNetwork()', definitionSchema, definition, 'invalid-network')
  // Called on the definition, which may be an object of a class with state of its own.
  return Object.freeze({
    name: definition.name,
    baseUrl: checkBaseUrl(
      `defineNetwork(): baseUrl of ${definition.name}`,
      definition.baseUrl,
      'invalid-network',
    ),
    fields: Object.freeze([...definition.fields]),
    match: (fields: Fields) => atOnce(definition.match?.(fields)) ?? 'likely',
    parse: (fields: Fields, viewer: Viewer) => {
      const parsed = atOnce(definition.parse(fields, viewer))
      if (isParsed(parsed)) return parsed
      throw new TypeError('parse() returned no { campaignId, item }')
    },
    request: (items: readonly Item[]) => atOnce(definition.request(items)),
    verdict: (answer: Answer) =>
      definition.verdict ? atOnce(definition.verdict(answer)) : verdictOnStatus(answer, undefined),
    flush: definition.flush ?? 'immediate',
    onUncertain: definition.onUncertain ?? 'drop',
    connections: definition.connections ?? 128,
    maxBatch: definition.maxBatch ?? 1,
    windows: Object.freeze([...(definition.windows ?? [])]),
  })
}

/** A promise is no answer, and is not waited for: if it fails, that ends no process. */
function atOnce<Answered>(answer: Answered): Answered {
  if (answer instanceof Promise) answer.catch(() => {})
  return answer
}

/** Whether a user's `parse` returned what the page load goes by. */
function isParsed(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { campaignId, onceKey, batchKey }: Partial<Record<string, unknown>> = value as object
  return (
    (typeof campaignId === 'string' || typeof campaignId === 'number') &&
    isTextOrNothing(onceKey) &&
    isTextOrNothing(batchKey)
  )
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

const networkSchema = definitionSchema.required()

/** Whether `value` is a network: complete, as `defineNetwork` makes it. */
export function isNetwork(value: unknown): value is Network {
  return networkSchema.safeParse(value).success
}
