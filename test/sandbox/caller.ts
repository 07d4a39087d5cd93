import { connect } from 'node:net'
import { Agent, request } from 'undici'
import type { Sandbox } from '../../lib/sandbox/sandbox.js'

export const ENS_PATH = '/api/v1/campaigns/impression'
export const CLOSIENT_PATH = '/advertising/api/v1/ads/impressions'
export const CAMPAIGN = 'mhvXdrZT4jP5T8vBxuvm75'
export const OFFER = 'CXc85b4rqinB7s5J52TRYb'

export interface Heard {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
  /** The body as JSON; throws where it is none. */
  json(): Record<string, unknown>
}

export interface Sent {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly path?: string
  /** `null` takes a header away. */
  readonly headers?: Record<string, string | null>
  /** A string goes as it is, anything else as JSON. */
  readonly body?: unknown
}

/** A client of both networks, with sockets of its own. */
export class Caller {
  readonly #sandbox: Sandbox
  readonly #agent = new Agent({ connections: 1 })

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox
  }

  ens(sent: Sent = {}): Promise<Heard> {
    const { baseUrl, apiKey } = this.#sandbox.ens
    return this.#send(
      baseUrl,
      ENS_PATH,
      { authorization: `Bearer ${apiKey}` },
      { campaignId: 42, placement: 'header_banner' },
      sent,
    )
  }

  closient(sent: Sent = {}): Promise<Heard> {
    const { baseUrl, apiKey } = this.#sandbox.closient
    const body = { impressions: [{ campaign_id: CAMPAIGN }] }
    return this.#send(baseUrl, CLOSIENT_PATH, { 'x-api-key': apiKey }, body, sent)
  }

  control(method: 'GET' | 'POST' | 'DELETE', path: string, sent: Sent = {}): Promise<Heard> {
    return this.#send(this.#sandbox.url, path, {}, undefined, { method, ...sent })
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #send(
    baseUrl: string,
    usualPath: string,
    auth: Record<string, string>,
    usualBody: unknown,
    sent: Sent,
  ): Promise<Heard> {
    const { method = 'POST', path = usualPath } = sent
    const body = method === 'GET' || method === 'HEAD' ? undefined : (sent.body ?? usualBody)
    const usual = { ...auth, ...(body !== undefined && { 'content-type': 'application/json' }) }
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries({ ...usual, ...sent.headers })) {
      if (value !== null) headers[name] = value
    }
    const answer = await request(baseUrl + path, {
      method,
      headers,
      body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
      dispatcher: this.#agent,
    })
    const text = await answer.body.text()
    const heard = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(heard),
      text,
      json: () => JSON.parse(text),
    }
  }
}

/** What a bare socket gets: all that was received, and how that ended. */
export async function overSocket(
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

/** A whole POST of one impression to ENS, as bytes. */
export function ensBytes(sandbox: Sandbox): string {
  const body = JSON.stringify({ campaignId: 42, placement: 'header_banner' })
  return [
    `POST ${ENS_PATH} HTTP/1.1`,
    `Host: ${new URL(sandbox.ens.baseUrl).host}`,
    `Authorization: Bearer ${sandbox.ens.apiKey}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

export function portOf(url: string): number {
  return Number(new URL(url).port)
}

/** The code of the error that a promise rejects with, such as `ECONNRESET`. */
export async function errorCode(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
  return 'none'
}
