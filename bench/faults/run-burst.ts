import { type ContestantName, getContestant } from '../contestants/contestants.js'
import { RpcChild } from '../rpc-child.js'
import { type Sink, waitUntilQuiet } from '../sink/start-sink.js'
import type { BurstFigures, BurstMethods } from './burst-process.js'
import { countDuplicates } from './run-scenario.js'

/** What the sink received of one burst. */
export interface BurstLoss extends BurstFigures {
  readonly tracked: number
  readonly arrived: number
  readonly duplicated: number
}

/** Not long enough to deliver everything. */
const CLOSE_MS = 3_000

export async function runBurst(
  name: ContestantName,
  sink: Sink,
  impressions: number,
): Promise<BurstLoss> {
  const { protocol, callsPerMinute } = getContestant(name)
  if (!protocol) throw new TypeError(`${name} sends no calls`)
  const port = await sink.call('open', { protocol, latencyMs: 0, callsPerMinute })
  const module = new URL('burst-process.js', import.meta.url)
  const child = await RpcChild.start<BurstMethods>(module, {
    args: [name, `http://127.0.0.1:${port}`],
  })
  const burst = await child.call('runBurst', { impressions, closeMs: CLOSE_MS })
  await waitUntilQuiet(sink, port)
  await child.stop()
  const countByCampaign = await sink.call('getCountByCampaign', port)
  return {
    ...burst,
    tracked: impressions,
    arrived: countByCampaign.size,
    duplicated: countDuplicates(countByCampaign),
  }
}
