import { once } from 'node:events'

const GRACE_MS = 3_000

/**
 * Prints where the server listens, and resolves at Ctrl-C or SIGTERM, once the last page was sent.
 *
 * @param {import('node:http').Server} server
 */
export async function untilStopped(server) {
  if (!server.listening) await once(server, 'listening')
  console.log(`Pages are served at http://localhost:${server.address().port}`)

  await new Promise((resolve) => {
    // Not once(): Ctrl-C under npm arrives twice, from the terminal and from npm, and a signal
    // without a listener ends the process on the spot.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve)
  })
  const closed = once(server, 'close')
  server.close()
  // A connection that a browser opened ahead of need, and never used, would hold this for a minute.
  setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  await closed
}
