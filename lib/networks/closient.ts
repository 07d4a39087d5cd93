import { z } from 'zod'
import { checkOptions, wholeNumber } from '../check-options.js'
import { InvalidImpressionError } from '../errors.js'
import { cleanSearchQuery, MAX_SEARCH_QUERY_CHARACTERS } from '../viewer/search-query.js'
import type { Viewer } from '../viewer/viewer.js'
import { builtInSchema, resolveApiKey, resolveBaseUrl } from './built-in.js'
import type { BuiltInOptions } from './built-in-options.js'
import { defineNetwork } from './define-network.js'
import { parseJsonObject } from './json.js'
import type { Fields, Network, Parsed } from './network.js'
import { toShortuuid } from './shortuuid.js'
import type { Answer, NetworkError, Verdict } from './verdict.js'
import { verdictOnStatus } from './verdict.js'

/** An impression for Closient: the schema `ImpressionRequest` of `closient.txt`, in camel case. */
export interface ClosientImpression {
  network?: 'closient' | undefined
  /** The campaign: a 22-character shortuuid, or a canonical UUID, which is sent as its shortuuid. */
  campaignId: string
  /** The offer shown: as `campaignId`, or `null`. */
  offerId?: string | null | undefined
  /**
   * The search that led to the impression, at most 1,024 characters; `null` says that there was
   * none. Default: the `searchQuery` option's.
   */
  searchQuery?: string | null | undefined
}

declare module './network.js' {
  interface ImpressionInputs {
    closient: ClosientImpression
  }
}

/** Flush default: `'finish'`. Connections: at most 8. */
export interface ClosientOptions extends BuiltInOptions {
  /**
   * Counts a campaign once per offer, for search pages that show several offers of one campaign.
   * @default false
   */
  perOffer?: boolean | undefined
  /** Most impressions a call carries: 1 to 1,000. @default 1000 */
  maxBatch?: number | undefined
}

interface ClosientItem {
  readonly campaign_id: string
  offer_id?: string | null
  searchQuery?: string | null
}

const PUBLISHED_HOST = 'https://www.closient.com'
const PATH = '/advertising/api/v1/ads/impressions'
const MAX_CONNECTIONS = 8
const MAX_BATCH = 1_000

/** The default tier: 300 calls a minute and 10,000 a day. */
const PUBLISHED_WINDOWS = [
  { limit: 300, windowMs: 60_000 },
  { limit: 10_000, windowMs: 86_400_000 },
]

/** A batch key that no search query can be: queries bear no control characters. */
const NO_QUERY = '\0'

/**
 * Closient: one call per batch of impressions that share a search query, at response finish
 * (`closient.txt`).
 *
 * @throws {ConfigurationError} if an option is wrong, or no key is given or in the environment
 */
export function closient(options: ClosientOptions = {}): Network<ClosientItem> {
  const schema = builtInSchema(MAX_CONNECTIONS).extend({
    perOffer: z.boolean().optional(),
    maxBatch: wholeNumber(1, MAX_BATCH).optional(),
  })
  const checked = checkOptions('closient()', schema, options)
  const { perOffer = false } = checked
  const headers = Object.freeze({
    'x-api-key': resolveApiKey('closient', checked.apiKey),
    'content-type': 'application/json',
  })
  return defineNetwork<ClosientItem>({
    name: 'closient',
    baseUrl: resolveBaseUrl('closient', checked.baseUrl, PUBLISHED_HOST),
    flush: checked.flush ?? 'finish',
    onUncertain: checked.onUncertain,
    connections: checked.connections ?? MAX_CONNECTIONS,
    maxBatch: checked.maxBatch ?? MAX_BATCH,
    windows: PUBLISHED_WINDOWS,
    fields: ['offerId', 'searchQuery'],
    match: ({ campaignId, placement }) => {
      if (typeof campaignId !== 'string') return 'no'
      if (toShortuuid(campaignId) !== undefined) return 'certain'
      // With a placement it is ENS's shape, whichever of the two comes first.
      return placement === undefined ? 'likely' : 'no'
    },
    parse: (fields, viewer) => parse(fields, viewer, perOffer),
    request: (items) => ({
      method: 'POST',
      path: PATH,
      headers,
      body: JSON.stringify(buildBody(items)),
    }),
    verdict,
  })
}

function parse(fields: Fields, viewer: Viewer, perOffer: boolean): Parsed<ClosientItem> {
  const campaignId = parseId('campaignId', fields.campaignId)
  const offerId = fields.offerId == null ? fields.offerId : parseId('offerId', fields.offerId)
  const searchQuery = parseSearchQuery(fields.searchQuery, viewer)
  const item: ClosientItem = { campaign_id: campaignId }
  if (offerId !== undefined) item.offer_id = offerId
  if (searchQuery !== undefined) item.searchQuery = searchQuery
  return {
    campaignId,
    onceKey: perOffer && offerId ? `${campaignId}/${offerId}` : campaignId,
    batchKey: searchQuery === null ? NO_QUERY : (searchQuery ?? ''),
    item,
  }
}

function parseId(field: string, value: unknown): string {
  const id = typeof value === 'string' ? toShortuuid(value) : undefined
  if (id !== undefined) return id
  throw new InvalidImpressionError(field, 'a 22-character shortuuid or a canonical UUID', value)
}

function parseSearchQuery(value: unknown, viewer: Viewer): string | null | undefined {
  if (value === undefined || value === '') return viewer.searchQuery
  if (value === null) return null
  if (typeof value === 'string' && value.length <= MAX_SEARCH_QUERY_CHARACTERS) {
    return cleanSearchQuery(value) ?? viewer.searchQuery
  }
  throw new InvalidImpressionError(
    'searchQuery',
    `a text of at most ${MAX_SEARCH_QUERY_CHARACTERS} characters, or null`,
    value,
  )
}

function buildBody(items: readonly ClosientItem[]): object {
  const searchQuery = items[0]?.searchQuery
  return {
    impressions: items.map(({ searchQuery: _, ...impression }) => impression),
    ...(searchQuery !== undefined && { search_query: searchQuery }),
  }
}

function verdict(answer: Answer): Verdict {
  const body = parseJsonObject(answer.body)
  const onStatus = verdictOnStatus(answer, readProblem(answer, body))
  if (onStatus.kind !== 'delivered' || body === undefined) return onStatus
  if (body.success === false) {
    return { kind: 'rejected', reason: `${onStatus.reason}: success is false` }
  }
  const { count } = body
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0
    ? { ...onStatus, count }
    : onStatus
}

/** What a problem (RFC 9457) says; a gateway's error page is nobody's word. */
function readProblem(
  answer: Answer,
  body: ReturnType<typeof parseJsonObject>,
): NetworkError | undefined {
  if (answer.status < 400 || body === undefined) return undefined
  const { title, detail, error_code: code, retryable, retry_after_seconds: seconds } = body
  if (title === undefined && code === undefined) return undefined
  const said = [code, detail ?? title].filter((part) => typeof part === 'string')
  return {
    message: said.join(': ') || undefined,
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
    retryAfterMs: typeof seconds === 'number' && seconds >= 0 ? seconds * 1_000 : undefined,
  }
}
