import { parseClosientId } from './closient-id.js'
import { describeType, isRecord } from './json-input.js'

/** The fields that Closient receives for one impression: an item of a batch and the search query. */
export interface ClosientFields {
  /** A shortuuid, even if the canonical UUID was sent. */
  readonly campaignId: string
  /** A shortuuid, as `campaignId`. */
  readonly offerId?: string
  /** The search query of the whole batch. */
  readonly searchQuery?: string
}

/** The body of a request is invalid. The message becomes the `detail` of the 422 response. */
export class InvalidBatchError extends Error {}

/** @throws {InvalidBatchError} that names the invalid field */
export function parseClosientBatch(text: string): ClosientFields[] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new InvalidBatchError('The request body is not valid JSON.')
  }
  if (!isRecord(body)) {
    throw new InvalidBatchError(`The request body must be an object, not ${describeType(body)}.`)
  }
  const { impressions, search_query: query } = body
  if (impressions === undefined) throw new InvalidBatchError('impressions: Field required.')
  if (!Array.isArray(impressions)) {
    throw new InvalidBatchError(`impressions: must be an array, not ${describeType(impressions)}.`)
  }
  const searchQuery = parseSearchQuery(query)
  return impressions.map((item: unknown, index) => ({
    ...parseItem(item, index),
    ...(searchQuery !== undefined && { searchQuery }),
  }))
}

function parseSearchQuery(query: unknown): string | undefined {
  if (query === undefined || query === null) return undefined
  if (typeof query === 'string') return query
  const type = describeType(query)
  throw new InvalidBatchError(`search_query: must be a string or null, not ${type}.`)
}

function parseItem(item: unknown, index: number): ClosientFields {
  const path = `impressions.${index}`
  if (!isRecord(item)) {
    throw new InvalidBatchError(`${path}: must be an object, not ${describeType(item)}.`)
  }
  const { campaign_id: campaign, offer_id: offer } = item
  if (campaign === undefined) throw new InvalidBatchError(`${path}.campaign_id: Field required.`)
  const campaignId = parseId(campaign, `${path}.campaign_id`)
  if (offer === undefined || offer === null) return { campaignId }
  return { campaignId, offerId: parseId(offer, `${path}.offer_id`) }
}

function parseId(value: unknown, path: string): string {
  if (typeof value !== 'string') {
    throw new InvalidBatchError(`${path}: must be a string, not ${describeType(value)}.`)
  }
  const id = parseClosientId(value)
  if (id === undefined) {
    throw new InvalidBatchError(`${path}: must be a 22-character shortuuid or a canonical UUID.`)
  }
  return id
}
