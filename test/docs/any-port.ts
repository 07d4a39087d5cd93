/** Preloaded: the servers of a program listen on a free port of loopback, and it prints the port. */
import { type AddressInfo, Server } from 'node:net'

const { listen } = Server.prototype

Server.prototype.listen = function listenOnAnyPort(this: Server, ...args: unknown[]) {
  this.once('listening', () => console.log(`port ${(this.address() as AddressInfo).port}`))
  const callback = args.find((value) => typeof value === 'function')
  return listen.call(this, { port: 0, host: '127.0.0.1' }, callback as (() => void) | undefined)
}
