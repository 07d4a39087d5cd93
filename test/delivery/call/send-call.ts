import { type Clock, systemClock } from '../../../lib/clock.js'
import {
  type CallEnd,
  createTransport,
  type Transport,
} from '../../../lib/delivery/call/transport.js'
import type { ConnectionOptions } from '../../../lib/networks/connection-options.js'
import type { NetworkRequest } from '../../../lib/networks/network.js'

export interface TransportOptions extends ConnectionOptions {
  readonly connections?: number
  readonly timeoutMs?: number
  readonly clock?: Clock
}

/** Creates a transport to `baseUrl`. By default it has one connection, and its calls do not time out. */
export function createTransportTo(baseUrl: string, options: TransportOptions = {}): Transport {
  const { connections = 1, timeoutMs = 60_000, clock = systemClock, ...connectionOptions } = options
  const network = { baseUrl, connections, connectionOptions: () => connectionOptions }
  return createTransport(network, timeoutMs, clock)
}

/** Creates a request that the sandbox's ENS counts. */
export function createEnsRequest(campaignId = 1): NetworkRequest {
  return {
    method: 'POST',
    path: '/api/v1/campaigns/impression',
    headers: { authorization: 'Bearer sandbox-ens-key', 'content-type': 'application/json' },
    body: JSON.stringify({ campaignId, placement: 'header' }),
  }
}

/** Resolves when the call has ended. Rejects if it ends twice. */
export function sendCall(transport: Transport, request = createEnsRequest()): Promise<CallEnd> {
  return new Promise((resolve, reject) => {
    let ends = 0
    transport.send(request, (end) => {
      ends += 1
      if (ends > 1) reject(new Error('the call ended twice'))
      setTimeout(() => resolve(end), 20)
    })
  })
}

/** `[status]` of an answer, or `[code, sent]` of an error. */
export function summarizeEnd(end: CallEnd): readonly unknown[] {
  return 'answer' in end ? [end.answer.status] : [end.error.code, end.sent]
}

/** Waits until data in transit on the loopback interface has arrived. */
export function waitForLoopback(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30))
}
