// A process that serves one page, tells the networks of it, and has nothing to do after that. The
// networks are those of its environment; it says what became of the page's ads.

import { createServer } from 'node:http'
import { createTracker } from '../../lib/tracker.js'
import { nonZero } from './books.js'
import { view } from './browser.js'
import { closientAd, ensAd } from './campaigns.js'
import { closing, gate } from './gate.js'
import { listening, portOf } from './publisher.js'

const tracker = createTracker()
const served = gate()
const server = createServer(async (req, res) => {
  const trackImpression = tracker.pageLoad(req, res)
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.setHeader('connection', 'close')
  res.end('a page')
  await closing(res)
  served.open()
})
await listening(server)
await view(`http://127.0.0.1:${portOf(server)}/`)
await served.opened
server.close()

await tracker.flush()
const { ens, closient } = tracker.stats()
process.stdout.write(JSON.stringify({ ens: nonZero(ens), closient: nonZero(closient) }))
