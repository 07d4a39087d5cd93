import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Certificate } from './certificates.js'

/** What a proxy does with a CONNECT. It opens the tunnel if this returns `true`. */
export type OnConnect = (socket: Socket) => boolean

/** An HTTP proxy on loopback. */
export interface ConnectProxy extends AsyncDisposable {
  /** Without the scheme and credentials. */
  readonly host: string
  /** `target` and `Proxy-Authorization` of each CONNECT. */
  readonly connects: readonly (readonly [string | undefined, string | undefined])[]
  /** TCP connections so far. */
  readonly connections: number
  /** All bytes from the clients that went through tunnels, as text. */
  readonly tunnelled: string
  /** Closes all connections. */
  close(): void
}

export async function startConnectProxy(
  onConnect: OnConnect = () => true,
  certificate?: Certificate,
): Promise<ConnectProxy> {
  const server: Server = certificate ? createSecureServer(certificate) : createServer()
  const sockets = new Set<Socket>()
  const connects: [string | undefined, string | undefined][] = []
  let tunnelled = ''
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  }
  server.on('connection', track)
  server.on('connect', (req, client: Socket) => {
    track(client)
    connects.push([req.url, req.headers['proxy-authorization']])
    if (!onConnect(client)) return
    const { hostname, port } = new URL(`tcp://${req.url}`)
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.on('data', (chunk) => {
        tunnelled += chunk.toString('latin1')
      })
      client.pipe(upstream).pipe(client)
    })
    track(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connects,
    get connections() {
      return connections
    },
    get tunnelled() {
      return tunnelled
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
