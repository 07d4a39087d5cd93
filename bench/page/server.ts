/** The process of one site: `server.js FRAMEWORK CONTESTANT SINK_URL [watched]`. */
import type { Outcome, Stats } from 'ad-impressions'
import { answerParent } from '../child.js'
import { contestantOf } from '../contestants/contestants.js'
import { frameworkOf, listen, siteOf } from './site.js'
import { watchOutcomes } from './watched-outcomes.js'

const [framework, name, sinkUrl = '', watched] = process.argv.slice(2)
const contestant = contestantOf(name)
const start = await contestant.load()
const counting = start(sinkUrl)
const { server, tracker } = await siteOf(frameworkOf(framework), contestant, counting)
/** Shuts down, and resolves when nothing is pending any more; none: there is no way to know. */
const close = tracker ? (timeoutMs: number) => tracker.close({ timeoutMs }) : counting.close
const outcomes = tracker && watched ? watchOutcomes(tracker) : undefined

const answers = {
  listen: () => listen(server),
  rssBytes: () => process.memoryUsage.rss(),
  flush: async () => void (await (tracker?.flush() ?? counting.flush?.())),
  /** Milliseconds until all that was pending is done with; `undefined` where nothing can tell. */
  async close(timeoutMs: number): Promise<number | undefined> {
    if (!close) return undefined
    const startMs = performance.now()
    await close(timeoutMs)
    return performance.now() - startMs
  },
  stats: (): Stats | undefined => tracker?.stats(),
  /** The library's own word of each campaign; of the others there is none. */
  outcomes: (): Map<number, Outcome> | undefined => outcomes,
}

export type ServerAnswers = typeof answers

// As a site is shut down: no new connections, the answers under way, then what is pending.
process.once('SIGTERM', () => {
  server.close(async () => {
    await close?.(10_000)
    process.exit()
  })
  // A connection that was busy when this began is closed once it is idle.
  setInterval(() => server.closeIdleConnections(), 5)
})

answerParent(answers)
