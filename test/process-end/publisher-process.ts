/** A publisher's server in a process of its own, for tests of how a process ends. Usage: `node … <scenario>`. */
import { createServer } from 'node:http'
import { setImmediate as waitForNextTurn } from 'node:timers/promises'
import { createTracker } from '../../lib/tracker.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'

const exitListenersBefore = process.listenerCount('exit')
const tracker = createTracker({ traffic: { bots: 'count' } })
const server = createServer((req, res) => {
  const trackImpression = tracker.pageLoad(req, res)
  for (const campaignId of [1, 2, 3]) trackImpression({ campaignId, placement: 'header' })
  res.end('a page')
})

function writeReport(report: object): void {
  process.stdout.write(`${JSON.stringify(report)}\n`)
}

/** Serves one page, and stops listening. */
async function serveOnePage(): Promise<void> {
  await listenOnLoopback(server)
  const url = `http://127.0.0.1:${getPort(server)}`
  const response = await fetch(url, { headers: { connection: 'close' } })
  await response.text()
  await new Promise((resolve) => server.close(resolve))
}

async function waitForTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await waitForNextTurn()
}

const scenarios: Record<string, () => Promise<void>> = {
  async deliver() {
    const delivered = new Promise<void>((resolve) => {
      tracker.on('outcome', () => {
        if (tracker.stats().ens?.delivered === 3) resolve()
      })
    })
    await serveOnePage()
    await delivered
    await waitForTurns(10)
    writeReport({ activeResources: process.getActiveResourcesInfo() })
  },
  async 'exit undelivered'() {
    await serveOnePage()
    await waitForTurns(10)
    writeReport({ stats: tracker.stats().ens })
  },
  async flush() {
    await serveOnePage()
    await tracker.flush()
    writeReport({ stats: tracker.stats().ens })
  },
  async close() {
    await serveOnePage()
    await tracker.close()
    const addedExitListeners = process.listenerCount('exit') - exitListenersBefore
    writeReport({ stats: tracker.stats().ens, addedExitListeners })
  },
  async 'serve until SIGTERM'() {
    process.once('SIGTERM', () => {
      server.close(() => {
        void tracker.close().then(() => writeReport({ stats: tracker.stats().ens }))
      })
      server.closeIdleConnections()
    })
    await listenOnLoopback(server)
    writeReport({ port: getPort(server) })
  },
}

await scenarios[process.argv[2] ?? '']?.()
