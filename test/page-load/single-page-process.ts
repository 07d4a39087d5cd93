// A process that serves one page, flushes its tracker and then has nothing left to do. It reads the
// networks from its environment, and prints the figures of both.

import { createServer } from 'node:http'
import { createTracker } from '../../lib/tracker.js'
import { closientAd, ensAd } from './campaigns.js'
import { createDeferred } from './deferred.js'
import { fetchPage } from './fetch-page.js'
import { getPort, listenOnLoopback } from './listen-on-loopback.js'
import { omitZeros } from './stats-assertions.js'
import { waitForClose } from './wait-for-close.js'

const tracker = createTracker()
const served = createDeferred()
const server = createServer(async (req, res) => {
  const trackImpression = tracker.pageLoad(req, res)
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.setHeader('connection', 'close')
  res.end('a page')
  await waitForClose(res)
  served.resolve()
})
await listenOnLoopback(server)
await fetchPage(`http://127.0.0.1:${getPort(server)}/`)
await served.promise
server.close()

await tracker.flush()
const { ens, closient } = tracker.stats()
process.stdout.write(JSON.stringify({ ens: omitZeros(ens), closient: omitZeros(closient) }))
