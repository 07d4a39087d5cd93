/** The process of several sites: `shared-sites-process.js FRAMEWORK SITES_AS_JSON`. */
import { type ContestantName, getContestant } from '../contestants/contestants.js'
import { serveParent } from '../rpc-child.js'
import { createSite, listen, parseFramework } from './create-site.js'

/** A contestant, and where its calls go. */
export interface SharedSiteConfig {
  readonly name: ContestantName
  /** `undefined`: it sends no calls. */
  readonly sinkPort: number | undefined
}

const framework = parseFramework(process.argv[2])
const configs: readonly SharedSiteConfig[] = JSON.parse(process.argv[3] ?? '[]')
const ports: number[] = []
const flushes: ((() => Promise<unknown>) | undefined)[] = []

for (const { name, sinkPort } of configs) {
  const contestant = getContestant(name)
  const start = await contestant.load()
  const running = start(`http://127.0.0.1:${sinkPort}`)
  const { server, tracker } = await createSite(framework, contestant, running)
  ports.push(await listen(server))
  flushes.push(tracker ? () => tracker.flush() : running.flush)
}

const methods = {
  /** The port of each site, in the order of the configuration. */
  getPorts: (): readonly number[] => ports,
  /** CPU time of the process so far: user and system, all threads. */
  getCpuUs(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  flush: async (index: number) => void (await flushes[index]?.()),
}

export type SharedSitesMethods = typeof methods

serveParent(methods)
