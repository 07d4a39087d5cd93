import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.js'
import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import type { Schedule } from '../schedule.js'
import type { Sink } from '../sink/start-sink.js'
import { CONNECTIONS, closedLoop } from './closed-loop.js'
import type { Neighbour, NeighboursAnswers } from './neighbours.js'
import type { Framework } from './site.js'

/** Those that differ by little. */
const NEIGHBOURS = [
  'bare',
  'local',
  'none',
  'closientMerged',
  'closient',
] as const satisfies readonly ContestantName[]

export type NeighbourName = (typeof NEIGHBOURS)[number]

/** CPU time per request in microseconds, one figure of each round. */
export type CpuByName = ReadonlyMap<NeighbourName, number[]>

/** Turns are short and rounds many: what slows the machine for a while then slows all alike. */
const ROUNDS = 15
const WARM_UP_ROUNDS = 3
const REQUESTS = 400
const LIMIT_S = 40
const LATENCY_MS = 20

/**
 * Several sites in one process take turns: processes differ by some per cent even where they run the
 * same code, and more where each has stood still while a dozen others ran.
 */
export async function measureInOneProcess(
  framework: Framework,
  sink: Sink,
  schedule: Schedule,
): Promise<CpuByName> {
  const neighbours = await Promise.all(NEIGHBOURS.map((name) => open(name, sink)))
  const child = await Child.start<NeighboursAnswers>(new URL('neighbours.js', import.meta.url), {
    args: [framework, JSON.stringify(neighbours)],
  })
  const ports = await child.ask('ports')
  const requests = schedule.amount(REQUESTS)

  async function turn(place: number): Promise<number> {
    const url = `http://127.0.0.1:${ports[place]}`
    await closedLoop(url, CONNECTIONS)
    await allSent(child, place)
    const before = await child.ask('cpuUs')
    await closedLoop(url, requests)
    await allSent(child, place)
    return ((await child.ask('cpuUs')) - before) / requests
  }

  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    for (const place of NEIGHBOURS.keys()) await turn(place)
  }
  const figures = new Map<NeighbourName, number[]>(NEIGHBOURS.map((name) => [name, []]))
  for (const round of schedule.rounds(ROUNDS, LIMIT_S)) {
    schedule.progress(`${framework} in one process, round ${round}`)
    for (const first of NEIGHBOURS.keys()) {
      // Each round begins with another: who follows whom pays for some of the other's garbage.
      const place = (first + round) % NEIGHBOURS.length
      figures.get(NEIGHBOURS[place] ?? 'bare')?.push(await turn(place))
    }
  }
  await child.stop()
  return figures
}

async function open(name: NeighbourName, sink: Sink): Promise<Neighbour> {
  const { wire, latencyMs = LATENCY_MS, callsPerMinute } = contestantOf(name)
  if (!wire) return [name, '']
  return [name, `http://127.0.0.1:${await sink.ask('open', { wire, latencyMs, callsPerMinute })}`]
}

/** Who sends nothing waits as long as who does: a process left alone compiles, which is CPU time too. */
async function allSent(child: Child<NeighboursAnswers>, place: number): Promise<void> {
  await child.ask('flush', place)
  await sleep(LATENCY_MS + 10)
}
