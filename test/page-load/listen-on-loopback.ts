import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

/** Resolves once the server listens on a free port of the loopback interface. */
export async function listenOnLoopback(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

export function getPort(server: Server): number {
  return (server.address() as AddressInfo).port
}
