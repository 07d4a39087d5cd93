/** The process of several sites, each on a port of its own: `neighbours.js FRAMEWORK NEIGHBOURS_AS_JSON`. */
import { answerParent } from '../child.js'
import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import type { TrackerMethods } from './app.js'
import { type Framework, listen, siteOf } from './site.js'

/** A contestant, and where its calls go. */
export type Neighbour = readonly [name: ContestantName, sinkUrl: string]

const framework = process.argv[2] as Framework
const neighbours: readonly Neighbour[] = JSON.parse(process.argv[3] ?? '[]')
const ports: number[] = []
const trackers: (TrackerMethods | undefined)[] = []

for (const [name, sinkUrl] of neighbours) {
  const contestant = contestantOf(name)
  const start = await contestant.load()
  const { server, tracker } = await siteOf(framework, contestant, start(sinkUrl))
  ports.push(await listen(server))
  trackers.push(tracker)
}

const answers = {
  ports: () => ports,
  cpuUs(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  flush: async (place: number) => void (await trackers[place]?.flush()),
}

export type NeighboursAnswers = typeof answers

answerParent(answers)
