import type { IncomingHttpHeaders } from 'node:http'
import { type ClosientFields, InvalidBatchError, parseClosientBatch } from './closient-batch.js'
import { buildClosientProblem } from './closient-problem.js'
import { isJson } from './json-input.js'
import type { NetworkRules, ReceivedRequest, RequestDecision } from './network-rules.js'
import { buildRateLimitHeaders, type RateLimitForm, secondsUntil } from './rate-limit-headers.js'
import { findMostRestrictive, type RateWindows } from './rate-windows.js'
import type { Authorization } from './sandbox-call.js'
import { buildGatewayPage, type SandboxResponse } from './sandbox-response.js'

const PATH = '/advertising/api/v1/ads/impressions'

export interface ClosientRulesOptions {
  readonly apiKey: string
  readonly windows: RateWindows
  readonly forms: readonly RateLimitForm[]
  readonly now: () => number
}

/**
 * Closient as its documentation (https://docs.closient.com) describes it. Each call with the right
 * key uses one call of every window, whatever its outcome. If a window is exhausted, the response
 * is a 429, and the request is not looked at any further.
 */
export class ClosientRules implements NetworkRules<ClosientFields> {
  readonly #apiKey: string
  readonly #windows: RateWindows
  readonly #forms: readonly RateLimitForm[]
  readonly #now: () => number

  constructor({ apiKey, windows, forms, now }: ClosientRulesOptions) {
    this.#apiKey = apiKey
    this.#windows = windows
    this.#forms = forms
    this.#now = now
  }

  checkAuthorization(headers: IncomingHttpHeaders): Authorization {
    const key = headers['x-api-key']
    if (key === undefined) return 'missing'
    return key === this.#apiKey ? 'right' : 'wrong'
  }

  evaluateRequest(request: ReceivedRequest): RequestDecision<ClosientFields> {
    if (request.authorization === 'right' && this.#windows.spend(1) === 0) {
      return rejectRequest(() => this.#buildWait(429, this.#retryAfter()))
    }
    if (request.pathname !== PATH) return this.#rejectWith(404)
    if (request.method !== 'POST') {
      return rejectRequest(() => this.#buildProblem(405, { headers: { allow: 'POST' } }))
    }
    if (request.authorization !== 'right') return this.#rejectWith(401)
    if (request.text === undefined) return this.#rejectWith(413)
    if (!isJson(request.headers['content-type'])) return this.#rejectWith(415)
    return this.#evaluateBody(request.text)
  }

  buildErrorResponse(status: number, retryAfter?: string | null): SandboxResponse {
    if (status === 502 || status === 504) return buildGatewayPage(status)
    if (retryAfter !== undefined) return this.#buildWait(status, retryAfter)
    return status === 429 ? this.#buildWait(status, this.#retryAfter()) : this.#buildProblem(status)
  }

  #evaluateBody(text: string): RequestDecision<ClosientFields> {
    try {
      return {
        impressions: parseClosientBatch(text),
        buildResponse: (count) =>
          this.#buildJson(200, 'application/json', { success: true, count }),
      }
    } catch (error) {
      if (!(error instanceof InvalidBatchError)) throw error
      return rejectRequest(() => this.#buildProblem(422, { detail: error.message }))
    }
  }

  #rejectWith(status: number): RequestDecision<ClosientFields> {
    return rejectRequest(() => this.#buildProblem(status))
  }

  /** Seconds until the exhausted window resets, as a `Retry-After` value. */
  #retryAfter(): string {
    const resetsAt = findMostRestrictive(this.#windows.states())?.resetsAt ?? this.#now()
    return `${Math.max(1, secondsUntil(resetsAt, this.#now()))}`
  }

  #buildWait(status: number, retryAfter: string | null): SandboxResponse {
    if (retryAfter === null) return this.#buildProblem(status)
    const isSeconds = /^\d+$/.test(retryAfter)
    return this.#buildProblem(status, {
      headers: { 'retry-after': retryAfter },
      fields: isSeconds ? { retry_after_seconds: Number(retryAfter) } : {},
    })
  }

  #buildProblem(status: number, { detail, headers, fields }: ProblemExtras = {}): SandboxResponse {
    const problem = { ...buildClosientProblem(status, this.#now(), detail), ...fields }
    return this.#buildJson(status, 'application/problem+json', problem, headers)
  }

  #buildJson(status: number, contentType: string, body: object, headers = {}): SandboxResponse {
    return {
      status,
      headers: {
        'content-type': contentType,
        // On every response, errors included (https://docs.closient.com, "Rate Limits").
        ...buildRateLimitHeaders(this.#windows.states(), this.#forms, this.#now()),
        ...headers,
      },
      body: JSON.stringify(body),
    }
  }
}

interface ProblemExtras {
  readonly detail?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly fields?: Readonly<Record<string, unknown>>
}

function rejectRequest(buildResponse: () => SandboxResponse): RequestDecision<ClosientFields> {
  return { impressions: [], buildResponse }
}
