import type { Pool } from 'undici'
import { CONTESTANT_NAMES, type ContestantName, getContestant } from '../contestants/contestants.js'
import { RpcChild } from '../rpc-child.js'
import { createSeededRandom } from '../seeded-random.js'
import { type Sink, waitUntilQuiet } from '../sink/start-sink.js'
import type { SiteFramework } from './create-site.js'
import { openSinkPort } from './open-sink-port.js'
import { CONNECTIONS, createBrowserPool, runClosedLoop } from './run-closed-loop.js'
import type { SharedSiteConfig, SharedSitesMethods } from './shared-sites-process.js'

/** One contestant's site in the shared process. */
export interface SharedSite extends SharedSiteConfig {
  readonly url: string
  readonly pool: Pool
  /** Its index in the shared process. */
  readonly index: number
}

/** One turn of a site: the result of its load, and what that cost. */
export interface SiteTurn<Result> {
  readonly result: Result
  /** CPU time until everything that was tracked is sent, so that sending later costs as much. */
  readonly cpuUs: number
}

/**
 * The sites of all contestants in one process, where they take turns. Separate processes would differ
 * by several percent even with the same code, and by more after standing idle for a while.
 */
export class SharedSites {
  readonly framework: SiteFramework
  readonly #sink: Sink
  readonly #child: RpcChild<SharedSitesMethods>
  readonly #sites: ReadonlyMap<ContestantName, SharedSite>
  readonly #random = createSeededRandom(1)

  private constructor(
    framework: SiteFramework,
    sink: Sink,
    child: RpcChild<SharedSitesMethods>,
    sites: readonly SharedSite[],
  ) {
    this.framework = framework
    this.#sink = sink
    this.#child = child
    this.#sites = new Map(sites.map((site) => [site.name, site]))
  }

  static async start(framework: SiteFramework, sink: Sink): Promise<SharedSites> {
    const configs = await Promise.all(
      CONTESTANT_NAMES.map(async (name): Promise<SharedSiteConfig> => {
        return { name, sinkPort: await openSinkPort(getContestant(name), sink) }
      }),
    )
    const args = [framework, JSON.stringify(configs)]
    const module = new URL('shared-sites-process.js', import.meta.url)
    const child = await RpcChild.start<SharedSitesMethods>(module, { args })
    const ports = await child.call('getPorts')
    const sites = configs.map((config, index): SharedSite => {
      const url = `http://127.0.0.1:${ports[index]}`
      return { ...config, index, url, pool: createBrowserPool(url) }
    })
    return new SharedSites(framework, sink, child, sites)
  }

  /**
   * The sites in a random order, another one for each round: a site pays for some of the garbage of
   * the one before it.
   */
  shuffle(names: readonly ContestantName[]): readonly SharedSite[] {
    const keyed = names.map((name) => ({ name, key: this.#random() }))
    keyed.sort((one, other) => one.key - other.key)
    return keyed.flatMap(({ name }) => this.#sites.get(name) ?? [])
  }

  async measureTurn<Result>(
    site: SharedSite,
    load: () => Promise<Result>,
  ): Promise<SiteTurn<Result>> {
    // While other sites had their turns, its connections to the sink may have been closed.
    await runClosedLoop(site.pool, CONNECTIONS)
    await this.#waitUntilSent(site)
    const before = await this.#child.call('getCpuUs')
    const result = await load()
    await this.#waitUntilSent(site)
    return { result, cpuUs: (await this.#child.call('getCpuUs')) - before }
  }

  async #waitUntilSent({ index, sinkPort }: SharedSite): Promise<void> {
    await this.#child.call('flush', index)
    await waitUntilQuiet(this.#sink, sinkPort)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sites.values()].map(({ pool }) => pool.destroy()))
    await this.#child.stop()
  }
}
