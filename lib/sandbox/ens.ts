import type { IncomingHttpHeaders } from 'node:http'
import { iso31661Alpha2ToAlpha3 } from 'iso-3166'
import {
  type Answer,
  gatewayPage,
  type Inquiry,
  isJson,
  isRecord,
  type NetworkRules,
  type Verdict,
} from './rules.js'

/** What ENS is told of one impression (ens.txt, "Body parameters"). */
export interface EnsShown {
  readonly campaignId: number
  readonly placement: string
  readonly location?: string
  readonly device?: 'mobile' | 'desktop' | 'tablet'
}

const PATH = '/api/v1/campaigns/impression'

/** ENS to the letter of ens.txt; where it is silent, in the style of what it says. */
export function ensRules(apiKey: string): NetworkRules<EnsShown> {
  return {
    authorize: (headers) => authorize(headers, apiKey),
    judge,
    problem(status, retryAfter) {
      if (status === 502 || status === 504) return gatewayPage(status)
      const headers = retryAfter ? { 'retry-after': retryAfter } : {}
      return error(status, WORDS[status] ?? 'the request failed', headers)
    },
  }
}

// The scheme's name is case-insensitive (RFC 9110, 11.1); the key is not.
function authorize(headers: IncomingHttpHeaders, apiKey: string) {
  const { authorization } = headers
  if (authorization === undefined) return 'missing'
  const key = /^bearer +(.+)$/i.exec(authorization)?.[1]
  return key === apiKey ? 'right' : 'wrong'
}

function judge(inquiry: Inquiry): Verdict<EnsShown> {
  if (inquiry.pathname !== PATH) return refuse(404, 'not found')
  if (inquiry.method !== 'POST') return refuse(405, 'method not allowed', { allow: 'POST' })
  if (inquiry.authorization !== 'right') return refuse(401, 'unauthorized')
  if (inquiry.text === undefined) return refuse(413, 'request body is too large')
  if (!isJson(inquiry.headers['content-type'])) {
    return refuse(400, 'Content-Type must be application/json')
  }
  let body: unknown
  try {
    body = JSON.parse(inquiry.text)
  } catch {
    return refuse(400, 'request body must be valid JSON')
  }
  if (!isRecord(body)) return refuse(400, 'request body must be a JSON object')
  const wrong = complaint(body)
  return wrong === undefined ? accept(body) : refuse(400, wrong)
}

function complaint(body: Record<string, unknown>): string | undefined {
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

function accept(body: Record<string, unknown>): Verdict<EnsShown> {
  const { campaignId, placement, location, device } = body
  if (!isCampaignId(campaignId) || typeof placement !== 'string')
    return refuse(500, 'internal error')
  const shown: EnsShown = {
    campaignId,
    placement,
    ...(isCountry(location) && { location }),
    ...(isDevice(device) && { device }),
  }
  return {
    shown: [shown],
    answer: () => json(200, { status: 'success', message: 'Impression tracked successfully' }),
  }
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

const WORDS: Record<number, string> = {
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

function refuse(status: number, message: string, headers = {}): Verdict<EnsShown> {
  return { shown: [], answer: () => error(status, message, headers) }
}

function error(status: number, message: string, headers = {}): Answer {
  return json(status, { status: 'error', message }, headers)
}

function json(status: number, body: object, headers = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}
