import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import type { ConnectionOptions } from '../../networks/connection-options.js'
import { Connection } from './connection.js'
import type { ProxyTunnels } from './proxy-tunnels.js'

export interface ConnectorOptions {
  readonly tls: ConnectionOptions['tls']
  /** The way out, if there is no other. */
  readonly tunnels: ProxyTunnels | undefined
  /** How long connecting may take. */
  readonly timeoutMs: number
  /** Ends all connections, also those that are not established yet. */
  readonly signal: AbortSignal
  /** Called before each part of a request is written. */
  readonly onWrite: (connection: Connection) => void
}

/** Opens connections for undici, each watched by a `Connection`. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { tls, tunnels, timeoutMs, signal, onWrite } = options
  const connect = buildConnector({
    ...tls,
    timeout: timeoutMs,
    signal,
    // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 would send the key to anybody.
    rejectUnauthorized: true,
  })
  async function open(target: buildConnector.Options): Promise<Socket> {
    const tunnel = await tunnels?.open(target)
    const isTls = target.protocol === 'https:'
    if (tunnel && !isTls) return tunnel
    const socket = await toPromise(connect, tunnel ? { ...target, httpSocket: tunnel } : target)
    if (tls?.cert !== undefined) await whenCertificateAccepted(socket, timeoutMs)
    return socket
  }
  return (target, callback) => {
    open(target).then(
      (socket) => {
        new Connection(socket, onWrite)
        callback(null, socket)
      },
      (error: Error) => callback(error, null),
    )
  }
}

function toPromise(
  connect: buildConnector.connector,
  target: buildConnector.Options,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connect(target, (error, socket) => {
      if (error) reject(error)
      else resolve(socket)
    })
  })
}

/** Not every server sends session tickets. */
const LONGEST_TICKET_WAIT_MS = 1_000

/**
 * Waits until the server has accepted the client's certificate. In TLS 1.3 a client may write before
 * that, and could then not tell a refusal from an answer that was lost. A server that accepts it
 * sends a session ticket; one that refuses it closes the connection.
 */
function whenCertificateAccepted(socket: Socket, timeoutMs: number): Promise<void> {
  if (!(socket instanceof TLSSocket) || socket.getProtocol() !== 'TLSv1.3') return Promise.resolve()
  return new Promise((resolve, reject) => {
    // OpenSSL reports the ticket while it reads, and must not be asked to write meanwhile.
    const onAccepted = () => setImmediate(finish, resolve)
    const onError = (error: Error) => finish(() => reject(error))
    const onClosed = () => {
      const error = new Error('the connection was closed: was the client certificate refused?')
      finish(() => reject(Object.assign(error, { code: 'ECONNRESET' })))
    }
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      socket.off('session', onAccepted).off('error', onError).off('end', onClosed)
      settle()
    }
    const timer = setTimeout(onAccepted, Math.min(LONGEST_TICKET_WAIT_MS, timeoutMs / 2))
    socket.on('session', onAccepted).on('error', onError).on('end', onClosed)
  })
}
