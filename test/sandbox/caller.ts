import { connect } from 'node:net'
import { Agent, request } from 'undici'
import type { Sandbox } from '../../lib/sandbox/sandbox.js'

export const ENS_PATH = '/api/v1/campaigns/impression'
export const CLOSIENT_PATH = '/advertising/api/v1/ads/impressions'
export const CAMPAIGN = 'mhvXdrZT4jP5T8vBxuvm75'
export const OFFER = 'CXc85b4rqinB7s5J52TRYb'

export interface CallerResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
  /** Parses the body as JSON. @throws if it is not JSON */
  json(): Record<string, unknown>
}

/** What to change in the default request. */
export interface CallerRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly path?: string
  /** `null` removes a header. */
  readonly headers?: Record<string, string | null>
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown
}

interface RequestDefaults {
  readonly baseUrl: string
  readonly path: string
  readonly authorization: Record<string, string>
  readonly body: unknown
}

/** A client of both networks, with its own sockets. */
export class Caller {
  readonly #sandbox: Sandbox
  readonly #agent = new Agent({ connections: 1 })

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox
  }

  ens(changes: CallerRequest = {}): Promise<CallerResponse> {
    const { baseUrl, apiKey } = this.#sandbox.ens
    const authorization = { authorization: `Bearer ${apiKey}` }
    const body = { campaignId: 42, placement: 'header_banner' }
    return this.#send({ baseUrl, path: ENS_PATH, authorization, body }, changes)
  }

  closient(changes: CallerRequest = {}): Promise<CallerResponse> {
    const { baseUrl, apiKey } = this.#sandbox.closient
    const authorization = { 'x-api-key': apiKey }
    const body = { impressions: [{ campaign_id: CAMPAIGN }] }
    return this.#send({ baseUrl, path: CLOSIENT_PATH, authorization, body }, changes)
  }

  control(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    changes: CallerRequest = {},
  ): Promise<CallerResponse> {
    const defaults = { baseUrl: this.#sandbox.url, path, authorization: {}, body: undefined }
    return this.#send(defaults, { method, ...changes })
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #send(defaults: RequestDefaults, changes: CallerRequest): Promise<CallerResponse> {
    const { method = 'POST', path = defaults.path } = changes
    const hasBody = method !== 'GET' && method !== 'HEAD'
    const body = hasBody ? (changes.body ?? defaults.body) : undefined
    const response = await request(defaults.baseUrl + path, {
      method,
      headers: mergeHeaders(
        {
          ...defaults.authorization,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        changes.headers,
      ),
      body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
      dispatcher: this.#agent,
    })
    const text = await response.body.text()
    const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
    return {
      status: response.statusCode,
      headers: Object.fromEntries(headers),
      text,
      json: () => JSON.parse(text),
    }
  }
}

function mergeHeaders(
  defaults: Record<string, string>,
  changes: Record<string, string | null> = {},
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...defaults, ...changes })) {
    if (value !== null) headers[name] = value
  }
  return headers
}

/** Sends bytes over a plain socket. Resolves to what was received, and to how the socket ended. */
export async function sendOverSocket(
  port: number,
  bytes: string,
): Promise<{ received: string; end: 'FIN' | string }> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('end', () => resolve({ received, end: 'FIN' }))
    socket.on('error', (error) => {
      resolve({ received, end: 'code' in error ? String(error.code) : error.message })
    })
  })
}

/** The bytes of a complete POST request with one ENS impression. */
export function buildEnsRequest(
  sandbox: Sandbox,
  host = new URL(sandbox.ens.baseUrl).host,
): string {
  const body = JSON.stringify({ campaignId: 42, placement: 'header_banner' })
  return [
    `POST ${ENS_PATH} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${sandbox.ens.apiKey}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

export function parsePort(url: string): number {
  return Number(new URL(url).port)
}

/** The code of the error that a promise rejects with, such as `ECONNRESET`; `none` if it resolves. */
export async function readErrorCode(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
  return 'none'
}
