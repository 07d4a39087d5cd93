import { Child } from '../child.js'
import type { Contestant } from '../contestants/contestant.js'
import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import type { Sink } from '../sink/start-sink.js'
import { openPort } from './open-port.js'
import type { ServerAnswers } from './server.js'
import type { Framework } from './site.js'

/** A contestant's site in a process of its own, with its own port of the sink. */
export interface RunningSite {
  readonly name: ContestantName
  readonly contestant: Contestant
  readonly process: Child<ServerAnswers>
  readonly url: string
  /** `undefined`: it tells nobody. */
  readonly sinkPort: number | undefined
}

export interface SiteOptions {
  readonly framework: Framework
  readonly sink: Sink
  /** Whether the library's outcomes are written down, which costs time. */
  readonly isWatched?: boolean
}

export async function startSite(name: ContestantName, options: SiteOptions): Promise<RunningSite> {
  const { framework, sink, isWatched = false } = options
  const contestant = contestantOf(name)
  const sinkPort = await openPort(contestant, sink)
  const args = [framework, name, `http://127.0.0.1:${sinkPort}`, ...(isWatched ? ['watched'] : [])]
  const server = await Child.start<ServerAnswers>(new URL('server.js', import.meta.url), { args })
  const url = `http://127.0.0.1:${await server.ask('listen')}`
  return { name, contestant, process: server, url, sinkPort }
}
