import { once } from 'node:events'

const GRACE_MS = 3_000

/**
 * Prints where the server listens, and resolves at Ctrl-C or SIGTERM, once the last page was sent.
 *
 * @param {import('node:http').Server} server
 */
export async function untilStopped(server) {
  if (!server.listening) await once(server, 'listening')
  const stopped = stopSignal()
  console.log(`Pages are served at http://localhost:${server.address().port}`)
  await stopped
  await sendLastPages(server)
}

/** Resolves at Ctrl-C or SIGTERM. */
export async function stopSignal() {
  // Ctrl-C under npm arrives twice: from the terminal, and passed on by npm. So once() will not do:
  // a signal without a listener ends the process on the spot, and its exit code with it.
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve)
  })
  // Nor will Node's slow way out, on which there are no listeners any more.
  process.once('beforeExit', () => process.exit())
}

/**
 * Takes no more requests, and resolves once those under way are answered.
 *
 * @param {import('node:http').Server} server
 */
export async function sendLastPages(server) {
  const closed = once(server, 'close')
  server.close()
  // A connection that a browser opened ahead of need, and never used, would hold this for a minute.
  setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  await closed
}
