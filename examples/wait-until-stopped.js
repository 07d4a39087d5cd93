import { once } from 'node:events'

const CLOSE_TIMEOUT_MS = 3_000

/**
 * Prints the server's address. On Ctrl-C or SIGTERM, closes the server, and resolves once the last
 * response was sent.
 *
 * @param {import('node:http').Server} server
 */
export async function waitUntilStopped(server) {
  if (!server.listening) await once(server, 'listening')
  const stopped = waitForStopSignal()
  console.log(`Listening on http://localhost:${server.address().port}`)
  await stopped
  await closeServer(server)
}

/** Resolves on Ctrl-C (SIGINT) or SIGTERM. */
export async function waitForStopSignal() {
  // Under npm, Ctrl-C arrives twice: from the terminal, and forwarded by npm. The listeners stay in
  // place, because the second signal would end the process at once without them.
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve)
  })
  // Node removes signal listeners during its normal exit. Exit before a second signal can arrive.
  process.once('beforeExit', () => process.exit())
}

/**
 * Stops accepting requests, and resolves once those in progress are answered.
 *
 * @param {import('node:http').Server} server
 */
export async function closeServer(server) {
  const closed = once(server, 'close')
  server.close()
  // Browsers open connections in advance. An unused one would keep the server open for a minute.
  setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS).unref()
  await closed
}
