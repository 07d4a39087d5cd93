import { Socket } from 'node:net'
import { Pool } from 'undici'
import { describeCause } from './call-error.js'

/** A proxy could not be reached, or refused the tunnel. Its message never contains credentials. */
class TunnelError extends Error {
  /** As Node calls it. */
  readonly code = 'ERR_PROXY_TUNNEL'
}

export interface ProxyTunnelsOptions {
  /** The URL of the proxy: http or https, with or without user and password. */
  readonly proxy: string
  /** How long the proxy may take to connect, and then to answer. */
  readonly timeoutMs: number
  /** Ends all connections, also those that are not established yet. */
  readonly signal: AbortSignal
}

/** Opens tunnels through an HTTP proxy with CONNECT (RFC 9110 section 9.3.6). */
export class ProxyTunnels {
  /** Host and port, for messages. */
  readonly name: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #pool: Pool

  constructor({ proxy, timeoutMs, signal }: ProxyTunnelsOptions) {
    const { origin, host, username, password } = new URL(proxy)
    this.name = host
    this.#headers =
      username || password ? { 'proxy-authorization': toBasic(username, password) } : {}
    this.#pool = new Pool(origin, {
      connect: { timeout: timeoutMs, rejectUnauthorized: true, signal },
      headersTimeout: timeoutMs,
    })
  }

  /** @param target what undici connects to */
  async open(target: { host?: string; hostname: string; port: string; protocol: string }) {
    const { host = target.hostname, port, protocol } = target
    const path = port ? host : `${host}:${protocol === 'https:' ? 443 : 80}`
    const { statusCode, socket } = await this.#connect(path)
    // Nobody listens until TLS or undici takes it over.
    socket.on('error', () => {})
    if (statusCode >= 200 && statusCode < 300 && socket instanceof Socket) return socket
    socket.destroy()
    throw new TunnelError(`the proxy answered CONNECT with HTTP ${statusCode}`)
  }

  destroy(): Promise<void> {
    return this.#pool.destroy()
  }

  async #connect(path: string) {
    try {
      return await this.#pool.connect({ path, headers: { host: path, ...this.#headers } })
    } catch (thrown) {
      // undici would connect again and again for some of these errors, if it got them as they are.
      throw new TunnelError(`the proxy opened no tunnel: ${describeCause(thrown)}`)
    }
  }
}

function toBasic(username: string, password: string): string {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}
