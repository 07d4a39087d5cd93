import type { IncomingHttpHeaders } from 'node:http'
import type { Authorization } from './sandbox-call.js'
import type { SandboxResponse } from './sandbox-response.js'

/** A request that was read completely and not evaluated yet. */
export interface ReceivedRequest {
  readonly method: string
  /** The request target: path and query string. */
  readonly path: string
  /** The path without the query string. */
  readonly pathname: string
  readonly headers: IncomingHttpHeaders
  readonly authorization: Authorization
  /** The body. `undefined` if it is larger than the sandbox reads. */
  readonly text: string | undefined
}

/** What every network receives for an impression, whatever its other fields are. */
export interface CampaignFields {
  /** As the network writes it. */
  readonly campaignId: string | number
}

/** What a network makes of a request. */
export interface RequestDecision<Fields> {
  /** The impressions that the network accepts; empty if it rejects the request. */
  readonly impressions: readonly Fields[]
  /** Builds the response once `counted` of the impressions have been counted. */
  buildResponse(counted: number): SandboxResponse
}

/**
 * The documented behaviour of one network, without sockets. `Fields` are the fields that it
 * receives for one impression.
 */
export interface NetworkRules<Fields> {
  checkAuthorization(headers: IncomingHttpHeaders): Authorization
  evaluateRequest(request: ReceivedRequest): RequestDecision<Fields>
  /**
   * The response for an error status that the request itself does not cause: the network's own
   * error, or a gateway's page for 502 and 504. `retryAfter` is the value of the `Retry-After`
   * header: `null` for no header, `undefined` for what the network would send.
   */
  buildErrorResponse(status: number, retryAfter?: string | null): SandboxResponse
}
