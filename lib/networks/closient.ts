import { z } from 'zod'
import { wholeNumber } from '../check-options.js'
import { InvalidImpressionError } from '../errors.js'
import { cleanSearchQuery, MAX_SEARCH_QUERY_CHARACTERS } from '../viewer/search-query.js'
import type { Viewer } from '../viewer/viewer.js'
import type { Answer } from './answer.js'
import { type BuiltInOptions, builtInSchema, resolveBuiltInOptions } from './built-in-options.js'
import { defineNetwork } from './define-network.js'
import { createJsonPost } from './json-post.js'
import type { Fields, Match, Network, Parsed } from './network.js'
import { parseJsonObject } from './parse-json-object.js'
import { toShortuuid } from './shortuuid.js'
import { type NetworkError, type Verdict, verdictOnStatus } from './verdict.js'

/** An impression for Closient. The fields are those of its API in camel case: docs/networks.md. */
export interface ClosientImpression {
  /** Needed only if another network's input looks the same. */
  network?: 'closient' | undefined
  /** The campaign: a 22-character shortuuid, or a canonical UUID, which is sent as its shortuuid. */
  campaignId: string
  /**
   * The offer shown, in the same forms as `campaignId`. A wrong value is logged, and the impression
   * counts without an offer; with `perOffer`, where the offer decides what counts, it is invalid.
   */
  offerId?: string | null | undefined
  /**
   * The search that led to the impression, at most 1,024 characters. Default: the `searchQuery`
   * option. A wrong value is logged, and the default is used.
   */
  searchQuery?: string | null | undefined
}

declare module './network.js' {
  interface ImpressionInputs {
    /** The input of Closient. */
    closient: ClosientImpression
  }
}

/** The options of `closient()`. `flush` defaults to `'finish'`, `connections` to 8. */
export interface ClosientOptions extends BuiltInOptions {
  /**
   * Counts a campaign once per offer, for search pages that show several offers of one campaign.
   * @default false
   */
  perOffer?: boolean | undefined
  /** Most impressions per call: 1 to 1,000. @default 1000 */
  maxBatch?: number | undefined
}

interface ClosientItem {
  readonly campaign_id: string
  offer_id?: string
  searchQuery?: string
}

const PUBLISHED_HOST = 'https://www.closient.com'
const PATH = '/advertising/api/v1/ads/impressions'
const MAX_BATCH = 1_000

/** The rate limits of the default tier: 300 calls a minute and 10,000 a day. */
const PUBLISHED_WINDOWS = [
  { limit: 300, windowMs: 60_000 },
  { limit: 10_000, windowMs: 86_400_000 },
]

const schema = builtInSchema({ flush: 'finish', connections: 8 }).extend({
  perOffer: z.boolean().default(false),
  maxBatch: wholeNumber(1, MAX_BATCH).default(MAX_BATCH),
})

/**
 * Closient: one call per batch of impressions with the same search query, sent when the response
 * finishes. Its API: https://docs.closient.com
 *
 * @throws {ConfigurationError} if an option is invalid, or no key is passed or in the environment
 */
export function closient(options: ClosientOptions = {}): Network<ClosientItem> {
  const { apiKey, perOffer, ...settings } = resolveBuiltInOptions(
    'closient',
    PUBLISHED_HOST,
    schema,
    options,
  )
  const post = createJsonPost(PATH, { 'x-api-key': apiKey })
  return defineNetwork<ClosientItem>({
    ...settings,
    warnings: findKeyWarnings(apiKey, settings.baseUrl),
    windows: PUBLISHED_WINDOWS,
    mixesBatchKeys: true,
    fields: ['offerId', 'searchQuery'],
    match,
    parse: (fields, viewer) => parse(fields, viewer, perOffer),
    request: (items) => post(buildBody(items)),
    verdict,
  })
}

/** A proxy or a sandbox at another base URL may have keys of its own. */
function findKeyWarnings(apiKey: string, baseUrl: string): readonly string[] {
  const isPublishedHost = new URL(baseUrl).host === new URL(PUBLISHED_HOST).host
  if (apiKey.startsWith('csb_') || !isPublishedHost) return []
  return [
    'the API key does not begin with csb_ as keys of Closient do: check CLOSIENT_API_KEY or ' +
      'closient({ apiKey })',
  ]
}

function match({ campaignId, placement }: Fields): Match {
  if (typeof campaignId !== 'string') return 'no'
  if (toShortuuid(campaignId) !== undefined) return 'certain'
  // With a placement it looks like ENS's, whichever of the two is configured first.
  return placement === undefined ? 'likely' : 'no'
}

function parse(fields: Fields, viewer: Viewer, perOffer: boolean): Parsed<ClosientItem> {
  const campaignId = parseCampaignId(fields.campaignId)
  const ignored: InvalidImpressionError[] = []
  const offerId = parseOfferId(fields.offerId, perOffer, ignored)
  const searchQuery = parseSearchQuery(fields.searchQuery, ignored) ?? viewer.searchQuery
  const item: ClosientItem = { campaign_id: campaignId }
  if (offerId !== undefined) item.offer_id = offerId
  if (searchQuery !== undefined) item.searchQuery = searchQuery
  return {
    campaignId,
    onceKey: perOffer && offerId ? `${campaignId}/${offerId}` : campaignId,
    batchKey: searchQuery ?? '',
    item,
    offerId,
    ignored,
  }
}

function parseCampaignId(value: unknown): string {
  const campaignId = readId(value)
  if (campaignId !== undefined) return campaignId
  throw createIdError('campaignId', value)
}

/** @throws {InvalidImpressionError} with `perOffer`, because the offer then decides what counts */
function parseOfferId(
  value: unknown,
  perOffer: boolean,
  ignored: InvalidImpressionError[],
): string | undefined {
  const offerId = readId(value)
  if (offerId !== undefined || value == null) return offerId
  const error = createIdError('offerId', value)
  if (perOffer) throw error
  ignored.push(error)
  return undefined
}

function readId(value: unknown): string | undefined {
  return typeof value === 'string' ? toShortuuid(value) : undefined
}

function createIdError(field: string, value: unknown): InvalidImpressionError {
  return new InvalidImpressionError(field, 'a 22-character shortuuid or a canonical UUID', value)
}

function parseSearchQuery(value: unknown, ignored: InvalidImpressionError[]): string | undefined {
  if (value == null) return undefined
  if (typeof value === 'string' && value.length <= MAX_SEARCH_QUERY_CHARACTERS) {
    return cleanSearchQuery(value)
  }
  const expected = `a string of at most ${MAX_SEARCH_QUERY_CHARACTERS} characters`
  ignored.push(new InvalidImpressionError('searchQuery', expected, value))
  return undefined
}

/** A search query is about all impressions of the call, so different ones are left out. */
function buildBody(items: readonly ClosientItem[]): object {
  const [first] = items
  const isSameQuery = items.every(({ searchQuery }) => searchQuery === first?.searchQuery)
  const searchQuery = isSameQuery ? first?.searchQuery : undefined
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
    return {
      kind: 'rejected',
      reason: `http-${answer.status}: the answer says success: false, without a reason`,
    }
  }
  const { count } = body
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0
    ? { ...onStatus, count }
    : onStatus
}

/** The content of a problem body (RFC 9457); `undefined` for a gateway's error page. */
function readProblem(
  { status }: Answer,
  body: ReturnType<typeof parseJsonObject>,
): NetworkError | undefined {
  if (status < 400 || body === undefined) return undefined
  const { title, detail, error_code: code, retryable, retry_after_seconds: seconds } = body
  if (title === undefined && code === undefined) return undefined
  const parts = [code, detail ?? title].filter((part) => typeof part === 'string')
  return {
    message: parts.join(': ') || undefined,
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
    retryAfterMs: typeof seconds === 'number' && seconds >= 0 ? seconds * 1_000 : undefined,
  }
}
