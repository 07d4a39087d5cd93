import type { IncomingHttpHeaders } from 'node:http'
import { closientId } from './closient-id.js'
import { type RateLimitForm, rateLimitHeaders, secondsUntil } from './rate-limit-headers.js'
import { mostRestrictive, type RateWindows } from './rate-windows.js'
import {
  type Answer,
  gatewayPage,
  type Inquiry,
  isJson,
  isRecord,
  kindOf,
  type NetworkRules,
  type Verdict,
} from './rules.js'

/** What Closient is told of one impression: an item of a batch, and the batch's search query. */
export interface ClosientShown {
  /** A shortuuid, also where the canonical UUID was sent. */
  readonly campaignId: string
  readonly offerId?: string
  readonly searchQuery?: string
}

const PATH = '/advertising/api/v1/ads/impressions'

/** Thrown while a body is read, and answered as a 422 whose `detail` is the message. */
class Invalid extends Error {}

/**
 * Closient to the letter of closient.txt. Each call with the right key spends one of every window,
 * whatever comes of it, and a call that finds a window exhausted is a 429 before anything else.
 */
export function closientRules(options: {
  readonly apiKey: string
  readonly windows: RateWindows
  readonly forms: readonly RateLimitForm[]
  readonly now: () => number
}): NetworkRules<ClosientShown> {
  const { apiKey, windows, forms, now } = options

  const answer = (status: number, type: string, body: object, headers = {}): Answer => ({
    status,
    // On every answer, so that callers can govern themselves (closient.txt, "Rate Limits").
    headers: {
      'content-type': type,
      ...rateLimitHeaders(windows.states(), forms, now()),
      ...headers,
    },
    body: JSON.stringify(body),
  })
  const problem = (status: number, detail?: string, extra: Extra = {}): Answer => {
    const known = PROBLEMS[status] ?? (status < 500 ? UNKNOWN_REFUSAL : UNKNOWN_FAILURE)
    const envelope = {
      type: `https://closient.com/docs/errors/${known.code}`,
      title: known.title,
      status,
      detail: detail ?? known.detail,
      error_code: known.code,
      retryable: known.retryable ?? false,
      // As in the document's example: whole seconds, and the offset in digits.
      timestamp: new Date(now()).toISOString().replace(/\.\d+Z$/, '+00:00'),
      ...extra.fields,
    }
    return answer(status, 'application/problem+json', envelope, extra.headers)
  }
  const untilReset = () => {
    const resetsAt = mostRestrictive(windows.states())?.resetsAt ?? now()
    return `${Math.max(1, secondsUntil(resetsAt, now()))}`
  }
  const wait = (status: number, retryAfter: string | null): Answer => {
    if (retryAfter === null) return problem(status)
    const seconds = /^\d+$/.test(retryAfter) ? { retry_after_seconds: Number(retryAfter) } : {}
    return problem(status, undefined, { headers: { 'retry-after': retryAfter }, fields: seconds })
  }
  const refuse = (status: number, detail?: string, extra?: Extra): Verdict<ClosientShown> => ({
    shown: [],
    answer: () => problem(status, detail, extra),
  })

  const judge = (inquiry: Inquiry): Verdict<ClosientShown> => {
    if (inquiry.authorization === 'right' && windows.spend(1) === 0) {
      return { shown: [], answer: () => wait(429, untilReset()) }
    }
    if (inquiry.pathname !== PATH) return refuse(404)
    if (inquiry.method !== 'POST') return refuse(405, undefined, { headers: { allow: 'POST' } })
    if (inquiry.authorization !== 'right') return refuse(401)
    if (inquiry.text === undefined) return refuse(413)
    if (!isJson(inquiry.headers['content-type'])) return refuse(415)
    try {
      const shown = readBatch(inquiry.text)
      return {
        shown,
        answer: (count) => answer(200, 'application/json', { success: true, count }),
      }
    } catch (error) {
      if (error instanceof Invalid) return refuse(422, error.message)
      throw error
    }
  }

  return {
    authorize: (headers) => authorize(headers, apiKey),
    judge,
    problem(status, retryAfter) {
      if (status === 502 || status === 504) return gatewayPage(status)
      if (retryAfter !== undefined) return wait(status, retryAfter)
      return status === 429 ? wait(status, untilReset()) : problem(status)
    },
  }
}

function authorize(headers: IncomingHttpHeaders, apiKey: string) {
  const key = headers['x-api-key']
  return key === undefined ? 'missing' : key === apiKey ? 'right' : 'wrong'
}

function readBatch(text: string): ClosientShown[] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new Invalid('The request body is not valid JSON.')
  }
  if (!isRecord(body)) throw new Invalid(`The request body must be an object, not ${kindOf(body)}.`)
  const { impressions, search_query: query } = body
  if (impressions === undefined) throw new Invalid('impressions: Field required.')
  if (!Array.isArray(impressions)) {
    throw new Invalid(`impressions: must be an array, not ${kindOf(impressions)}.`)
  }
  if (query !== undefined && query !== null && typeof query !== 'string') {
    throw new Invalid(`search_query: must be a string or null, not ${kindOf(query)}.`)
  }
  const searchQuery = typeof query === 'string' ? { searchQuery: query } : {}
  return impressions.map((item: unknown, index) => ({ ...readItem(item, index), ...searchQuery }))
}

function readItem(item: unknown, index: number): ClosientShown {
  const at = `impressions.${index}`
  if (!isRecord(item)) throw new Invalid(`${at}: must be an object, not ${kindOf(item)}.`)
  const { campaign_id: campaign, offer_id: offer } = item
  if (campaign === undefined) throw new Invalid(`${at}.campaign_id: Field required.`)
  const campaignId = readId(campaign, `${at}.campaign_id`)
  if (offer === undefined || offer === null) return { campaignId }
  return { campaignId, offerId: readId(offer, `${at}.offer_id`) }
}

function readId(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new Invalid(`${at}: must be a string, not ${kindOf(value)}.`)
  const id = closientId(value)
  if (id === undefined) {
    throw new Invalid(`${at}: must be a 22-character shortuuid or a canonical UUID.`)
  }
  return id
}

interface Extra {
  readonly headers?: Readonly<Record<string, string>>
  readonly fields?: Readonly<Record<string, unknown>>
}

interface Problem {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly retryable?: boolean
}

const UNKNOWN_REFUSAL: Problem = {
  code: 'bad_request',
  title: 'Bad Request',
  detail: 'The request was refused.',
}
const UNKNOWN_FAILURE: Problem = {
  code: 'internal_error',
  title: 'Internal Server Error',
  detail: 'An internal error occurred.',
  retryable: true,
}

// closient.txt lists the codes of 401, 403, 404, 422, 429 and 500; the others are in their style.
const PROBLEMS: Record<number, Problem> = {
  401: {
    code: 'unauthorized',
    title: 'Unauthorized',
    detail: 'The API key is missing or invalid.',
  },
  403: {
    code: 'forbidden',
    title: 'Forbidden',
    detail: 'The API key is not allowed to record impressions.',
  },
  404: {
    code: 'not_found',
    title: 'Not Found',
    detail: 'The requested resource was not found.',
  },
  405: {
    code: 'method_not_allowed',
    title: 'Method Not Allowed',
    detail: 'This resource answers POST only.',
  },
  408: {
    code: 'request_timeout',
    title: 'Request Timeout',
    detail: 'The request took too long.',
    retryable: true,
  },
  413: {
    code: 'payload_too_large',
    title: 'Content Too Large',
    detail: 'The request body is too large.',
  },
  415: {
    code: 'unsupported_media_type',
    title: 'Unsupported Media Type',
    detail: 'The request body must be application/json.',
  },
  422: {
    code: 'validation_error',
    title: 'Unprocessable Content',
    detail: 'The request body is not valid.',
  },
  429: {
    code: 'rate_limited',
    title: 'Too Many Requests',
    detail: 'The rate limit of this API key is exhausted.',
    retryable: true,
  },
  500: UNKNOWN_FAILURE,
  503: {
    code: 'service_unavailable',
    title: 'Service Unavailable',
    detail: 'The service is temporarily unavailable.',
    retryable: true,
  },
}
