/** The process of one site: `site-process.js FRAMEWORK CONTESTANT SINK_URL [record-outcomes]`. */
import type { Outcome } from 'ad-impressions'
import { getContestant } from '../contestants/contestants.js'
import { serveParent } from '../rpc-child.js'
import { createSite, listen, parseFramework } from './create-site.js'
import { recordOutcomes } from './record-outcomes.js'

const TERMINATION_TIMEOUT_MS = 10_000

const [framework, name, sinkUrl = '', recording] = process.argv.slice(2)
const contestant = getContestant(name)
const start = await contestant.load()
const running = start(sinkUrl)
const { server, tracker } = await createSite(parseFramework(framework), contestant, running)
const close = tracker ? (timeoutMs: number) => tracker.close({ timeoutMs }) : running.close
const outcomes = tracker && recording ? recordOutcomes(tracker) : undefined

const methods = {
  listen: (): Promise<number> => listen(server),
  getRssBytes: (): number => process.memoryUsage.rss(),
  flush: async () => void (await (tracker?.flush() ?? running.flush?.())),
  /** Milliseconds until nothing is pending. `undefined` if the contestant has no such method. */
  async close(timeoutMs: number): Promise<number | undefined> {
    if (!close) return undefined
    const startMs = performance.now()
    await close(timeoutMs)
    return performance.now() - startMs
  },
  /** The outcome of each campaign. `undefined` unless ad-impressions counts and records them. */
  getOutcomes: (): Map<number, Outcome> | undefined => outcomes,
}

export type SiteMethods = typeof methods

// The usual graceful shutdown: refuse new connections, finish the open responses, then deliver.
process.once('SIGTERM', () => {
  server.close(async () => {
    await close?.(TERMINATION_TIMEOUT_MS)
    process.exit()
  })
  // `server.close` closes only the connections that are idle at that moment.
  setInterval(() => server.closeIdleConnections(), 5)
})

serveParent(methods)
