import { type Clock, systemClock } from '../../lib/clock.js'
import { type CallEnd, createTransport, type Transport } from '../../lib/delivery/call/transport.js'
import type { ConnectionOptions } from '../../lib/networks/connection-options.js'
import type { NetworkRequest } from '../../lib/networks/network.js'

export interface TransportOptions extends ConnectionOptions {
  readonly connections?: number
  readonly timeoutMs?: number
  readonly clock?: Clock
}

/** A transport to `baseUrl`, with one connection and more time than a test takes by default. */
export function transportTo(baseUrl: string, options: TransportOptions = {}): Transport {
  const { connections = 1, timeoutMs = 60_000, clock = systemClock, ...connectionOptions } = options
  const network = { baseUrl, connections, connectionOptions: () => connectionOptions }
  return createTransport(network, timeoutMs, clock)
}

/** A request that the sandbox's ENS counts. */
export function impression(campaignId = 1): NetworkRequest {
  return {
    method: 'POST',
    path: '/api/v1/campaigns/impression',
    headers: { authorization: 'Bearer sandbox-ens-key', 'content-type': 'application/json' },
    body: JSON.stringify({ campaignId, placement: 'header' }),
  }
}

export function send(transport: Transport, request = impression()): Promise<CallEnd> {
  return new Promise((resolve, reject) => {
    let ends = 0
    transport.send(request, (end) => {
      ends += 1
      if (ends > 1) reject(new Error('the call ended twice'))
      setTimeout(() => resolve(end), 20)
    })
  })
}

/** `code, sent` of a failure; the status of an answer. */
export function outlineOf(end: CallEnd): readonly unknown[] {
  return 'answer' in end ? [end.answer.status] : [end.error.code, end.sent]
}

/** Long enough for what is on its way over loopback to arrive. */
export const turn = () => new Promise((resolve) => setTimeout(resolve, 30))
