import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { getPort, listenOnLoopback } from '../../page-load/listen-on-loopback.js'

/** One connection to a raw server. */
export interface RawConnection {
  readonly socket: Socket
  /** All data that has arrived. */
  received: string
}

/** A TCP or TLS server on the loopback interface. The test writes the bytes of its answers. */
export interface RawServer extends AsyncDisposable {
  readonly baseUrl: string
  readonly connections: readonly RawConnection[]
  /** How many request heads have arrived, on all connections. */
  countRequests(): number
}

/** Formats an HTTP response with status 200. */
export function formatResponse(body = '{"status":"success"}'): string {
  const length = Buffer.byteLength(body)
  return `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${body}`
}

/** @param onData called each time data has arrived */
export async function startRawServer(
  onData: (connection: RawConnection) => void,
  server: Server = createServer(),
): Promise<RawServer> {
  const connections: RawConnection[] = []
  const serve = (socket: Socket) => {
    const connection = { socket, received: '' }
    connections.push(connection)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      connection.received += chunk.toString('latin1')
      onData(connection)
    })
  }
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', serve)
  await listenOnLoopback(server)
  return {
    baseUrl: `http://127.0.0.1:${getPort(server)}`,
    connections,
    countRequests() {
      const received = connections.map((connection) => connection.received).join('')
      return received.split(/(?:POST|GET|PUT) \S+ HTTP\/1\.1\r\n/).length - 1
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
