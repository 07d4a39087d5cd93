import type { Pool } from 'undici'
import { Child } from '../child.js'
import { CONTESTANT_NAMES, type ContestantName, contestantOf } from '../contestants/contestants.js'
import { seededRandom } from '../days/seeded-random.js'
import { type Sink, whenQuiet } from '../sink/start-sink.js'
import { CONNECTIONS, closedLoop, connect } from './closed-loop.js'
import type { Neighbour, NeighboursAnswers } from './neighbours.js'
import { openPort } from './open-port.js'
import type { Framework } from './site.js'

/** A contestant's site in the one process. */
export interface Site extends Neighbour {
  readonly url: string
  readonly pool: Pool
  readonly place: number
}

/** What one turn of a site came to. */
export interface Turn<Result> {
  readonly result: Result
  /** CPU time until all that it tracked was sent, in microseconds: who sends later pays for it as well. */
  readonly cpuUs: number
}

/**
 * All contestants' sites in one process, where they take turns: processes differ by some per cent
 * even where they run the same code, and more where each has stood still while a dozen others ran.
 */
export class Neighbourhood {
  readonly framework: Framework
  readonly #sink: Sink
  readonly #process: Child<NeighboursAnswers>
  readonly #sites: ReadonlyMap<ContestantName, Site>
  readonly #random = seededRandom(1)

  private constructor(
    framework: Framework,
    sink: Sink,
    process: Child<NeighboursAnswers>,
    sites: readonly Site[],
  ) {
    this.framework = framework
    this.#sink = sink
    this.#process = process
    this.#sites = new Map(sites.map((site) => [site.name, site]))
  }

  static async start(framework: Framework, sink: Sink): Promise<Neighbourhood> {
    const neighbours = await Promise.all(
      CONTESTANT_NAMES.map(async (name): Promise<Neighbour> => {
        return { name, sinkPort: await openPort(contestantOf(name), sink) }
      }),
    )
    const args = [framework, JSON.stringify(neighbours)]
    const module = new URL('neighbours.js', import.meta.url)
    const process = await Child.start<NeighboursAnswers>(module, { args })
    const ports = await process.ask('ports')
    const sites = neighbours.map((neighbour, place): Site => {
      const url = `http://127.0.0.1:${ports[place]}`
      return { ...neighbour, place, url, pool: connect(url) }
    })
    return new Neighbourhood(framework, sink, process, sites)
  }

  /**
   * The sites in the order of a round's turns, each time another: who follows whom pays for some of
   * the other's garbage.
   */
  shuffled(names: readonly ContestantName[]): readonly Site[] {
    const drawn = names.map((name) => ({ name, at: this.#random() }))
    drawn.sort((one, other) => one.at - other.at)
    return drawn.flatMap(({ name }) => this.#sites.get(name) ?? [])
  }

  async turn<Result>(site: Site, load: () => Promise<Result>): Promise<Turn<Result>> {
    // While the others had their turns its connections to the sink may have been closed.
    await closedLoop(site.pool, CONNECTIONS)
    await this.#allSent(site)
    const before = await this.#process.ask('cpuUs')
    const result = await load()
    await this.#allSent(site)
    return { result, cpuUs: (await this.#process.ask('cpuUs')) - before }
  }

  async #allSent({ place, sinkPort }: Site): Promise<void> {
    await this.#process.ask('flush', place)
    await whenQuiet(this.#sink, sinkPort)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sites.values()].map(({ pool }) => pool.destroy()))
    await this.#process.stop()
  }
}
