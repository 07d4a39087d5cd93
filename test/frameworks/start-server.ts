import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Server } from 'node:net'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'
import type { App, Framework } from './framework.js'

/** A server that closes its connections too. */
export interface RunningServer {
  readonly port: number
  close(): Promise<void>
}

/** Starts a server, without TLS, on a free port of the loopback interface. */
export async function startServer(
  protocol: Framework['protocol'],
  { listener, http2Listener }: Pick<App, 'listener' | 'http2Listener'>,
): Promise<RunningServer> {
  if (protocol === 'http2') {
    const server = createHttp2Server(http2Listener)
    await listenOnLoopback(server)
    return { port: getPort(server), close: () => closeServer(server) }
  }
  const server = createServer(listener)
  await listenOnLoopback(server)
  return {
    port: getPort(server),
    async close() {
      server.closeAllConnections()
      await closeServer(server)
    },
  }
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
