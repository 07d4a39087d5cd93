// Preloaded: the servers of a program listen on a free port of loopback, and it prints the port.
// In JavaScript, so that a sample starts as fast as on its own.

import { Server } from 'node:net'

const { listen } = Server.prototype

Server.prototype.listen = function listenOnAnyPort(...args) {
  this.once('listening', () => console.log(`port ${this.address().port}`))
  const callback = args.find((value) => typeof value === 'function')
  return listen.call(this, { port: 0, host: '127.0.0.1' }, callback)
}
