/** The process of several sites, each on a port of its own: `neighbours.js FRAMEWORK NEIGHBOURS_AS_JSON`. */
import { answerParent } from '../child.js'
import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import { frameworkOf, listen, siteOf } from './site.js'

/** A contestant, and where its calls go; `undefined`: it tells nobody. */
export interface Neighbour {
  readonly name: ContestantName
  readonly sinkPort: number | undefined
}

const framework = frameworkOf(process.argv[2])
const neighbours: readonly Neighbour[] = JSON.parse(process.argv[3] ?? '[]')
const ports: number[] = []
const flushes: ((() => Promise<unknown>) | undefined)[] = []

for (const { name, sinkPort } of neighbours) {
  const contestant = contestantOf(name)
  const start = await contestant.load()
  const counting = start(`http://127.0.0.1:${sinkPort}`)
  const { server, tracker } = await siteOf(framework, contestant, counting)
  ports.push(await listen(server))
  flushes.push(tracker ? () => tracker.flush() : counting.flush)
}

const answers = {
  ports: () => ports,
  /** Of all threads, in user and system, in microseconds. */
  cpuUs(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  flush: async (place: number) => void (await flushes[place]?.()),
}

export type NeighboursAnswers = typeof answers

answerParent(answers)
