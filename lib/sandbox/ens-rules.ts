import type { IncomingHttpHeaders } from 'node:http'
import { iso31661Alpha2ToAlpha3 } from 'iso-3166'
import { isJson, isRecord } from './json-input.js'
import type { NetworkRules, ReceivedRequest, RequestDecision } from './network-rules.js'
import type { Authorization } from './sandbox-call.js'
import { buildGatewayPage, type SandboxResponse } from './sandbox-response.js'

/** The fields that ENS receives for one impression. */
export interface EnsFields {
  /** A positive integer. */
  readonly campaignId: number
  /** The placement, such as `header_banner`. */
  readonly placement: string
  /** The viewer's country: an ISO 3166-1 alpha-2 code. */
  readonly location?: string
  /** The viewer's device. */
  readonly device?: 'mobile' | 'desktop' | 'tablet'
}

const PATH = '/api/v1/campaigns/impression'

/**
 * ENS as its API reference (https://ads.enslive.live) describes it. Errors that the reference does
 * not list use the same format.
 */
export function createEnsRules(apiKey: string): NetworkRules<EnsFields> {
  return {
    checkAuthorization: (headers) => checkAuthorization(headers, apiKey),
    evaluateRequest,
    buildErrorResponse(status, retryAfter) {
      if (status === 502 || status === 504) return buildGatewayPage(status)
      const headers = retryAfter ? { 'retry-after': retryAfter } : {}
      return buildError(status, ERROR_MESSAGES[status] ?? 'the request failed', headers)
    },
  }
}

// The scheme is case-insensitive (RFC 9110, section 11.1); the key is not.
function checkAuthorization(headers: IncomingHttpHeaders, apiKey: string): Authorization {
  const { authorization } = headers
  if (authorization === undefined) return 'missing'
  const key = /^bearer +(.+)$/i.exec(authorization)?.[1]
  return key === apiKey ? 'right' : 'wrong'
}

function evaluateRequest(request: ReceivedRequest): RequestDecision<EnsFields> {
  if (request.pathname !== PATH) return rejectRequest(404, 'not found')
  if (request.method !== 'POST') return rejectRequest(405, 'method not allowed', { allow: 'POST' })
  if (request.authorization !== 'right') return rejectRequest(401, 'unauthorized')
  if (request.text === undefined) return rejectRequest(413, 'request body is too large')
  if (!isJson(request.headers['content-type'])) {
    return rejectRequest(400, 'Content-Type must be application/json')
  }
  return evaluateBody(request.text)
}

function evaluateBody(text: string): RequestDecision<EnsFields> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return rejectRequest(400, 'request body must be valid JSON')
  }
  if (!isRecord(body)) return rejectRequest(400, 'request body must be a JSON object')
  const problem = findProblem(body)
  return problem === undefined ? acceptImpression(body) : rejectRequest(400, problem)
}

function findProblem(body: Record<string, unknown>): string | undefined {
  const { campaignId, placement, location, device } = body
  if (campaignId === undefined || campaignId === null) return 'campaignId is required'
  if (!isCampaignId(campaignId)) return 'campaignId must be a positive integer'
  if (placement === undefined || placement === null || placement === '') {
    return 'placement is required'
  }
  if (typeof placement !== 'string') return 'placement must be a string'
  if (location !== undefined && !isCountry(location)) {
    return 'location must be an ISO 3166-1 alpha-2 country code'
  }
  if (device !== undefined && !isDevice(device)) {
    return 'device must be one of mobile, desktop, tablet'
  }
  return undefined
}

function acceptImpression(body: Record<string, unknown>): RequestDecision<EnsFields> {
  const { campaignId, placement, location, device } = body
  if (!isCampaignId(campaignId) || typeof placement !== 'string') {
    return rejectRequest(500, 'internal error')
  }
  const fields: EnsFields = {
    campaignId,
    placement,
    ...(isCountry(location) && { location }),
    ...(isDevice(device) && { device }),
  }
  const success = { status: 'success', message: 'Impression tracked successfully' }
  return { impressions: [fields], buildResponse: () => buildJson(200, success) }
}

function isCampaignId(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

function isCountry(value: unknown): value is string {
  return typeof value === 'string' && Object.hasOwn(iso31661Alpha2ToAlpha3, value)
}

function isDevice(value: unknown): value is 'mobile' | 'desktop' | 'tablet' {
  return value === 'mobile' || value === 'desktop' || value === 'tablet'
}

const ERROR_MESSAGES: Record<number, string> = {
  400: 'bad request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not found',
  405: 'method not allowed',
  408: 'request timeout',
  413: 'request body is too large',
  429: 'too many requests',
  500: 'internal error',
  503: 'service unavailable',
}

function rejectRequest(status: number, message: string, headers = {}): RequestDecision<EnsFields> {
  return { impressions: [], buildResponse: () => buildError(status, message, headers) }
}

function buildError(status: number, message: string, headers = {}): SandboxResponse {
  return buildJson(status, { status: 'error', message }, headers)
}

function buildJson(status: number, body: object, headers = {}): SandboxResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}
