import { Pool } from 'undici'
import type { Clock } from '../../clock.js'
import type { Network, NetworkRequest } from '../../networks/network.js'
import { Call, type CallEnd, pollSockets } from './call.js'
import { createConnector } from './connect.js'
import { ProxyTunnels } from './proxy-tunnels.js'

export type { CallEnd } from './call.js'

/** Carries requests to one network over HTTP. It sends each request once and never retries. */
export interface Transport {
  /** Calls `onEnd` once. */
  send(request: NetworkRequest, onEnd: (end: CallEnd) => void): void
  /** Aborts all calls; each ends with an error, unless its answer has arrived. */
  destroy(): Promise<void>
}

/** Gateways and CDNs add headers. Beyond this, undici ends the call without an answer. */
const MAX_HEADER_BYTES = 256 * 1_024

/**
 * One pool of keep-alive connections, with one call at a time on each.
 *
 * @param timeoutMs how long a call may take, from `send` to the last byte of its answer
 */
export function createTransport(
  network: Pick<Network, 'baseUrl' | 'connections' | 'connectionOptions'>,
  timeoutMs: number,
  clock: Clock,
): Transport {
  const { origin, host, port, protocol, pathname } = new URL(network.baseUrl)
  const prefix = pathname.replace(/\/$/, '')
  const { proxy, tls } = network.connectionOptions()
  const tunnels = proxy === undefined ? undefined : new ProxyTunnels(proxy, timeoutMs)
  const address = port ? host : `${host}:${protocol === 'https:' ? 443 : 80}`
  const peer = tunnels ? `${address} through the proxy ${tunnels.name}` : address
  let started: Call | undefined
  const pool = new Pool(origin, {
    connections: network.connections,
    pipelining: 1,
    connect: createConnector({
      tls,
      tunnels,
      // The deadline below ends the call; this one only closes the socket.
      timeoutMs,
      onWrite(connection) {
        // undici starts a request and writes it in one go.
        started?.onWrite(connection)
        started = undefined
      },
    }),
    maxHeaderSize: MAX_HEADER_BYTES,
    // The deadline below covers the whole call, so undici's own timers are not needed.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const onStart = (call: Call) => {
    started = call
  }

  return {
    send({ method, path, headers, body }, onEnd) {
      const call = new Call({ peer, timeoutMs, clock, onStart, onEnd })
      pool.dispatch({ method, path: prefix + path, headers: { ...ACCEPT, ...headers }, body }, call)
    },
    async destroy() {
      await pollSockets()
      await Promise.all([pool.destroy(), tunnels?.destroy()])
    },
  }
}

/** Answers are small, and not every server would compress them well. */
const ACCEPT = { 'accept-encoding': 'identity' }
