import { setMaxListeners } from 'node:events'
import { errors, Pool } from 'undici'
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
  /**
   * Ends all calls at once, each with an error unless its answer has arrived. Nothing is sent after
   * that, and no socket keeps the process alive.
   */
  destroy(): Promise<void>
}

/** Gateways and CDNs add headers. Beyond this, undici ends the call without an answer. */
const MAX_HEADER_BYTES = 256 * 1_024

/** Answers are small, and not every server that compresses says so. */
const ACCEPT = { 'accept-encoding': 'identity' }

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
  const sockets = new AbortController()
  // Each connection listens.
  setMaxListeners(0, sockets.signal)
  const { signal } = sockets
  const tunnels = proxy === undefined ? undefined : new ProxyTunnels({ proxy, timeoutMs, signal })
  const address = port ? host : `${host}:${protocol === 'https:' ? 443 : 80}`
  const peer = tunnels ? `${address} through the proxy ${tunnels.name}` : address
  const calls = new Set<Call>()
  let started: Call | undefined
  const pool = new Pool(origin, {
    connections: network.connections,
    pipelining: 1,
    connect: createConnector({
      tls,
      tunnels,
      // The deadline below ends the call; this one only closes the socket.
      timeoutMs,
      signal,
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
      const onCallEnd = (end: CallEnd) => {
        calls.delete(call)
        onEnd(end)
      }
      const call = new Call({ peer, timeoutMs, clock, onStart, onEnd: onCallEnd })
      calls.add(call)
      pool.dispatch({ method, path: prefix + path, headers: { ...ACCEPT, ...headers }, body }, call)
    },
    async destroy() {
      for (const call of calls) call.cancel(new errors.ClientDestroyedError())
      await pollSockets()
      const destroyed = Promise.all([pool.destroy(), tunnels?.destroy()])
      // The pool forgets a connection that fails, with the calls that wait for it, and leaves
      // sockets alone that are still connecting (https://github.com/nodejs/undici/issues/3895).
      for (const call of calls) call.abort(new errors.ClientDestroyedError())
      sockets.abort()
      await destroyed
    },
  }
}
