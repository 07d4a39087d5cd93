import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'

/** What a server does with one connection; it hears of each chunk that arrives. */
export interface Connection {
  readonly socket: Socket
  /** All that has arrived on it so far. */
  received: string
}

/** A TCP server on loopback that speaks HTTP only as far as a test has it speak. */
export interface RawServer extends AsyncDisposable {
  readonly baseUrl: string
  readonly connections: readonly Connection[]
  /** How often a whole request head arrived, over all connections. */
  requests(): number
}

export function answering(body = '{"status":"success"}', head = ''): string {
  const length = Buffer.byteLength(body)
  return `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n${head}\r\n${body}`
}

/** @param onData called whenever more has arrived */
export async function startRawServer(
  onData: (connection: Connection) => void,
  server: Server = createServer(),
): Promise<RawServer> {
  const connections: Connection[] = []
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
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    connections,
    requests() {
      const all = connections.map(({ received }) => received).join('')
      return all.split(/(?:POST|GET|PUT) \S+ HTTP\/1\.1\r\n/).length - 1
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
