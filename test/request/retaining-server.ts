// Prints, as JSON, how many bytes each page load keeps that took a text out of its own URL: for a
// short URL and for a long one. Run with --expose-gc.
import { randomUUID } from 'node:crypto'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { closient } from '../../lib/networks/closient.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import { ens } from '../../lib/networks/ens.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { createTracker } from '../../lib/tracker.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Nobody listens there, so that every impression stays pending. */
const baseUrl = 'http://127.0.0.1:9'
const ID = 'mhvXdrZT4jP5T8vBxuvm75'
const PAGE_LOADS = 400

/** How a page passes on a text of its URL, by entry point. */
const ENTRY_POINTS: Readonly<Record<string, (track: TrackImpression, text: string) => void>> = {
  campaignId: (track, text) => track({ campaignId: text }),
  'campaignId as a UUID': (track, text) => track({ campaignId: text }),
  offerId: (track, text) => track({ campaignId: ID, offerId: text }),
  searchQuery: (track, text) => track({ campaignId: ID, searchQuery: text }),
  placement: (track, text) => track({ campaignId: 42, placement: text }),
  'a field of a custom network': (track, text) =>
    Reflect.apply(track, undefined, [{ network: 'acme', campaignId: 'a', slot: text }]),
  'the option searchQuery': (track) => track({ campaignId: ID }),
  'the option requestId': (track) => track({ campaignId: ID }),
  'the page-load cookie': (track) => track({ campaignId: ID }),
}

const acme = defineNetwork({
  name: 'acme',
  baseUrl,
  fields: ['slot'],
  parse: ({ slot }) => ({ campaignId: 'a', batchKey: String(slot), item: { slot } }),
  request: () => ({ method: 'POST', path: '/', headers: {}, body: '' }),
})

/** The text in a URL `/<text>?padding`: a part of the URL, as routers cut it out. */
function textIn({ url = '' }: IncomingMessage): string {
  return url.slice(1, url.indexOf('?'))
}

async function measure(entryPoint: string, padding: number): Promise<number> {
  const page = ENTRY_POINTS[entryPoint]
  const tracker = createTracker({
    networks: [ens({ apiKey: 'k', baseUrl }), closient({ apiKey: 'csb_k', baseUrl }), acme],
    ...(entryPoint === 'the option searchQuery' && { searchQuery: textIn }),
    ...(entryPoint === 'the option requestId' && { requestId: textIn }),
    pageLoadCookie: entryPoint === 'the page-load cookie',
    logger: { debug() {}, warn() {}, error() {} },
  })
  const server = createServer((req, res) => {
    page?.(tracker.pageLoad(req, res), textIn(req))
    res.end()
  })
  await listenOnLoopback(server)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const view = (n: number) =>
    new Promise<void>((resolve, reject) => {
      const text = textFor(entryPoint, n)
      const path = `/${text}?${'x'.repeat(padding)}`
      const cookie = `ad-page-load=${randomUUID()}.AAAAAAAA; other=${'x'.repeat(padding)}`
      const isFragment = entryPoint === 'the page-load cookie'
      const headers = { ...BROWSER_HEADERS, ...(isFragment && { 'hx-request': 'true', cookie }) }
      request({ port: getPort(server), agent, path: isFragment ? '/?' : path, headers }, (res) => {
        res.resume().on('end', resolve)
      })
        .on('error', reject)
        .end()
    })
  const load = async (from: number, count: number) => {
    for (let n = from; n < from + count; n += 1) await view(n)
    await new Promise((resolve) => setTimeout(resolve, 50))
    collectGarbage()
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const before = await load(0, 100)
  const grown = (await load(100, PAGE_LOADS)) - before
  const pending = Object.values(tracker.stats()).reduce((sum, stats) => sum + stats.pending, 0)
  if (pending !== 100 + PAGE_LOADS) throw new Error(`${entryPoint}: ${pending} are pending`)
  agent.destroy()
  server.close()
  await tracker.close({ timeoutMs: 0 })
  return Math.round(grown / PAGE_LOADS)
}

/** A text of its own for each page load, that is valid at the entry point. */
function textFor(entryPoint: string, n: number): string {
  const number = String(n).padStart(12, '0')
  if (entryPoint.endsWith('UUID')) return `00000000-0000-4000-8000-${number}`
  return `aaaaaaaaaa${number.replaceAll('0', 'a').replaceAll('1', 'b')}`
}

const results: Record<string, { short: number; long: number }> = {}
for (const entryPoint of Object.keys(ENTRY_POINTS)) {
  results[entryPoint] = {
    short: await measure(entryPoint, 10),
    long: await measure(entryPoint, 14_000),
  }
}
process.stdout.write(JSON.stringify(results))
process.exit()
