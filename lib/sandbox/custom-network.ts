import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { describeError } from '../errors.js'
import { RESPONSE_HEADERS, RESPONSE_STATUS } from './fault.js'
import { describeProblems, describeType, parseJsonOrText } from './json-input.js'
import type {
  CampaignFields,
  NetworkRules,
  ReceivedRequest,
  RequestDecision,
} from './network-rules.js'
import { createKeyRedactor, isCredentialHeader } from './redact-key.js'
import type { Authorization } from './sandbox-call.js'
import { buildGatewayPage, type SandboxResponse } from './sandbox-response.js'

/** A call to a network of your own, as its `verdict` sees it. */
export interface CustomRequest {
  /** The request method, such as `POST`. */
  readonly method: string
  /** The request target: path and query string. */
  readonly path: string
  /** As received: names are in lower case, and keys are not redacted. */
  readonly headers: IncomingHttpHeaders
  /** Whether a header has the network's key, alone or after a scheme such as `Bearer`. */
  readonly authorization: Authorization
  /** The parsed JSON, or the text if it is not JSON. `undefined` if it is empty or too large. */
  readonly body: unknown
}

/** One impression of a network of your own. `at` and `call` are the sandbox's own fields. */
export interface CustomImpression extends CampaignFields {
  readonly [field: string]: string | number | boolean | null | undefined
}

/** What a network of your own answers, and what it counts. */
export interface CustomVerdict {
  /** 200 to 599. @default 200 */
  readonly status?: number
  /** Header values by name. @default none */
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent as it is, anything else as JSON. @default no body */
  readonly body?: unknown
  /** The campaigns that it counts: ids, or impressions with more fields. @default none */
  readonly counted?: readonly (string | number | CustomImpression)[]
}

/** A network of your own, played by the sandbox on a port of its own. */
export interface CustomNetworkOptions {
  /** The path that receives calls, without a query string. Every other path gets a 404. */
  readonly path: string
  /** @default 'sandbox-acme-key' for a network with the name acme */
  readonly apiKey?: string
  /**
   * The behaviour of the network. It is called once for each call to `path`. If it throws, the
   * response is a 500, and the process emits a warning the first time.
   */
  verdict(request: CustomRequest): CustomVerdict
}

const CAMPAIGN_ID = z.union([z.string(), z.number()])
const FIELD = z.union([z.string(), z.number(), z.boolean()]).nullish()
const VERDICT = z.strictObject({
  status: RESPONSE_STATUS.default(200),
  headers: z.record(RESPONSE_HEADERS.name, RESPONSE_HEADERS.value).default({}),
  body: z.unknown().optional(),
  counted: z
    .array(z.union([CAMPAIGN_ID, z.object({ campaignId: CAMPAIGN_ID }).catchall(FIELD)]))
    .default([]),
})

/** The rules of a network of the user's own: its `verdict` decides. */
export class CustomRules implements NetworkRules<CustomImpression> {
  readonly #name: string
  readonly #apiKey: string
  readonly #options: CustomNetworkOptions
  #hasWarned = false

  constructor(name: string, apiKey: string, options: CustomNetworkOptions) {
    this.#name = name
    this.#apiKey = apiKey
    this.#options = options
  }

  checkAuthorization(headers: IncomingHttpHeaders): Authorization {
    const values = Object.values(headers).flatMap((value) => value ?? [])
    const isKey = (value: string) =>
      value === this.#apiKey || value.replace(/^\S+ +/, '') === this.#apiKey
    if (values.some(isKey)) return 'right'
    return Object.keys(headers).some(isCredentialHeader) ? 'wrong' : 'missing'
  }

  evaluateRequest(request: ReceivedRequest): RequestDecision<CustomImpression> {
    if (request.pathname !== this.#options.path) return rejectWith(404)
    if (request.text === undefined) return rejectWith(413)
    try {
      const { counted, ...rest } = this.#callVerdict(request)
      // Built here, because a body that JSON cannot represent is an error of `verdict`.
      const response = toResponse(rest)
      return { impressions: counted.map(toImpression), buildResponse: () => response }
    } catch (error) {
      this.#warnOnce(error)
      return rejectWith(500)
    }
  }

  buildErrorResponse(status: number, retryAfter?: string | null): SandboxResponse {
    if (status === 502 || status === 504) return buildGatewayPage(status)
    return buildError(status, retryAfter ? { 'retry-after': retryAfter } : {})
  }

  /** A hostile page can send calls that make `verdict` throw, so it must not end the process. */
  #warnOnce(error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const message = describeError(error, createKeyRedactor(this.#apiKey))
    process.emitWarning(`verdict of the sandbox network ${this.#name} failed: ${message}`)
  }

  #callVerdict({ method, path, headers, authorization, text }: ReceivedRequest) {
    const body = parseJsonOrText(text)
    const returned: unknown = this.#options.verdict({ method, path, headers, authorization, body })
    if (returned instanceof Promise) {
      returned.catch(() => {})
      throw new TypeError('expected an object, not a promise')
    }
    const result = VERDICT.safeParse(returned)
    if (!result.success) throw new TypeError(describeProblems(result.error, 'result'))
    return result.data
  }
}

function toImpression(counted: string | number | CustomImpression): CustomImpression {
  return typeof counted === 'object' ? counted : { campaignId: counted }
}

function toResponse(response: Omit<z.infer<typeof VERDICT>, 'counted'>): SandboxResponse {
  const { status, body } = response
  const headers = Object.entries(response.headers).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ])
  const isText = typeof body === 'string' || body === undefined
  return {
    status,
    headers: {
      ...(body !== undefined && { 'content-type': isText ? 'text/plain' : 'application/json' }),
      ...Object.fromEntries(headers),
    },
    body: isText ? (body ?? '') : toJson(body),
  }
}

/** Throws for a body that JSON cannot represent, such as a function or a circular object. */
function toJson(body: unknown): string {
  const json: string | undefined = JSON.stringify(body)
  if (json === undefined)
    throw new TypeError(`body: expected text or JSON, not ${describeType(body)}`)
  return json
}

function rejectWith(status: number): RequestDecision<CustomImpression> {
  return { impressions: [], buildResponse: () => buildError(status) }
}

function buildError(status: number, headers = {}): SandboxResponse {
  const error = STATUS_CODES[status] ?? 'Error'
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error }),
  }
}
