import { z } from 'zod'
import { callback, checkOptions, wholeNumber } from '../check-options.js'
import type { Viewer } from '../viewer/viewer.js'
import type { Answer } from './answer.js'
import { checkBaseUrl } from './check-base-url.js'
import { type ConnectionOptions, connectionShape } from './connection-options.js'
import type { Fields, Network, NetworkDefinition, NetworkRequest } from './network.js'
import { resolveProxy } from './proxy.js'
import { verdictOnStatus } from './verdict.js'

/** A complete network. */
const networkSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short lower-case name such as "acme"')
    .refine((name) => name !== 'unknown', 'expected another name: "unknown" is reserved'),
  baseUrl: z.string(),
  fields: z.array(z.string()).readonly(),
  match: callback(),
  parse: callback(),
  request: callback(),
  verdict: callback(),
  flush: z.enum(['immediate', 'finish']),
  onUncertain: z.enum(['drop', 'resend']),
  connections: wholeNumber(1, 1_024),
  maxBatch: wholeNumber(1, 100_000),
  mixesBatchKeys: z.boolean(),
  connectionOptions: callback<() => ConnectionOptions>(),
  windows: z.array(z.strictObject({ limit: wholeNumber(1), windowMs: wholeNumber(1) })).readonly(),
  warnings: z.array(z.string()).readonly(),
})

const { shape } = networkSchema

/** A network as a user defines it. */
const definitionSchema = networkSchema.extend({
  ...connectionShape,
  connectionOptions: shape.connectionOptions.optional(),
  secrets: z.array(z.string()).readonly().prefault([]),
  match: shape.match.optional(),
  verdict: shape.verdict.optional(),
  flush: shape.flush.default('immediate'),
  onUncertain: shape.onUncertain.default('drop'),
  connections: shape.connections.default(128),
  maxBatch: shape.maxBatch.default(1),
  mixesBatchKeys: shape.mixesBatchKeys.default(false),
  windows: shape.windows.prefault([]),
  warnings: shape.warnings.prefault([]),
})

/**
 * Creates an ad network from its definition. Use it to add a network of your own.
 *
 * @throws {ConfigurationError} `invalid-network` or `insecure-base-url`
 */
export function defineNetwork<Item>(definition: NetworkDefinition<Item>): Network<Item> {
  const { secrets, proxy, tls, ...settings } = checkOptions(
    'defineNetwork()',
    definitionSchema,
    definition,
    'invalid-network',
  )
  const baseUrl = checkBaseUrl(
    `defineNetwork(): baseUrl of ${settings.name}`,
    settings.baseUrl,
    'invalid-network',
  )
  // The definition may be a network, which has its own already.
  const inherited = settings.connectionOptions?.() ?? {}
  const connectionOptions = Object.freeze({
    proxy: resolveProxy(proxy ?? inherited.proxy, baseUrl),
    tls: tls ?? inherited.tls,
  })
  return Object.freeze({
    ...settings,
    baseUrl,
    connectionOptions: () => connectionOptions,
    // Methods are called on the definition itself: it may be a class instance with private state.
    match: (fields: Fields) => ignoreRejection(definition.match?.(fields)) ?? 'likely',
    parse: (fields: Fields, viewer: Viewer) => {
      const parsed = ignoreRejection(definition.parse(fields, viewer))
      if (isParsed(parsed)) return parsed
      throw new TypeError('parse() returned no { campaignId, item }')
    },
    request: (items: readonly Item[]) =>
      addSecrets(ignoreRejection(definition.request(items)), secrets),
    verdict: (answer: Answer) =>
      definition.verdict
        ? ignoreRejection(definition.verdict(answer))
        : verdictOnStatus(answer, undefined),
  })
}

/** The definition may be a network, whose requests have secrets already. */
function addSecrets(request: NetworkRequest, secrets: readonly string[]): NetworkRequest {
  if (secrets.length === 0) return request
  return { ...request, secrets: [...(request?.secrets ?? []), ...secrets] }
}

/**
 * Returns `result` unchanged. A method that is async by mistake returns a promise, which is not a
 * valid result; without a handler, its rejection would end the process.
 */
function ignoreRejection<Result>(result: Result): Result {
  if (result instanceof Promise) result.catch(() => {})
  return result
}

/** Whether the `parse` of a user's network returned what a page load needs. */
function isParsed(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const parsed: Partial<Record<string, unknown>> = value as object
  const { campaignId, onceKey, batchKey, placement, offerId, ignored } = parsed
  return (
    (typeof campaignId === 'string' || typeof campaignId === 'number') &&
    isOptionalString(onceKey) &&
    isOptionalString(batchKey) &&
    isOptionalString(placement) &&
    isOptionalString(offerId) &&
    (ignored === undefined || Array.isArray(ignored))
  )
}

function isOptionalString(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

/** Whether `value` is a complete network, as `defineNetwork` returns it. */
export function isNetwork(value: unknown): value is Network {
  return networkSchema.safeParse(value).success
}
