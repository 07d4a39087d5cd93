import type { Contestant } from '../contestants/contestant.js'
import { type ContestantName, getContestant } from '../contestants/contestants.js'
import { RpcChild } from '../rpc-child.js'
import type { Sink } from '../sink/start-sink.js'
import type { SiteFramework } from './create-site.js'
import { openSinkPort } from './open-sink-port.js'
import type { SiteMethods } from './site-process.js'

/** A contestant's site in its own process, with its own port of the sink. */
export interface RunningSite {
  readonly name: ContestantName
  readonly contestant: Contestant
  readonly child: RpcChild<SiteMethods>
  readonly url: string
  /** `undefined`: it sends no calls. */
  readonly sinkPort: number | undefined
}

export interface StartSiteOptions {
  readonly framework: SiteFramework
  readonly sink: Sink
  /** Whether ad-impressions records its outcomes, which costs time. */
  readonly recordsOutcomes?: boolean
}

export async function startSite(
  name: ContestantName,
  { framework, sink, recordsOutcomes = false }: StartSiteOptions,
): Promise<RunningSite> {
  const contestant = getContestant(name)
  const sinkPort = await openSinkPort(contestant, sink)
  const args = [framework, name, `http://127.0.0.1:${sinkPort}`]
  if (recordsOutcomes) args.push('record-outcomes')
  const module = new URL('site-process.js', import.meta.url)
  const child = await RpcChild.start<SiteMethods>(module, { args })
  const url = `http://127.0.0.1:${await child.call('listen')}`
  return { name, contestant, child, url, sinkPort }
}
