/** A publisher's server in a process of its own, for tests of how processes end: `node … <scene>`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTracker } from '../../lib/tracker.js'

const exitListeners = process.listenerCount('exit')
const tracker = createTracker({ traffic: { bots: 'count' } })
const server = createServer((req, res) => {
  const trackImpression = tracker.pageLoad(req, res)
  for (const campaignId of [1, 2, 3]) trackImpression({ campaignId, placement: 'header' })
  res.end('a page')
})

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** Shows one page, and stops listening. */
async function showOnePage(): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
  await response.text()
  await new Promise((resolve) => server.close(resolve))
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

const scenes: Record<string, () => Promise<void>> = {
  async 'delivers, and is done'() {
    const delivered = new Promise<void>((resolve) => {
      tracker.on('outcome', () => {
        if (tracker.stats().ens?.delivered === 3) resolve()
      })
    })
    await showOnePage()
    await delivered
    for (let turns = 0; turns < 10; turns += 1) await turn()
    say({ keptAliveBy: process.getActiveResourcesInfo() })
  },
  async 'cannot deliver, and is done'() {
    await showOnePage()
    for (let turns = 0; turns < 10; turns += 1) await turn()
    say({ stats: tracker.stats().ens })
  },
  async flushes() {
    await showOnePage()
    await tracker.flush()
    say({ stats: tracker.stats().ens })
  },
  async closes() {
    await showOnePage()
    await tracker.close()
    const listenersLeft = process.listenerCount('exit') - exitListeners
    say({ stats: tracker.stats().ens, listenersLeft })
  },
  async 'serves until SIGTERM'() {
    server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }))
    process.once('SIGTERM', () => {
      server.close(() => {
        void tracker.close().then(() => say({ stats: tracker.stats().ens }))
      })
      server.closeIdleConnections()
    })
  },
}

await scenes[process.argv[2] ?? '']?.()
