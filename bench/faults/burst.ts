import { Child } from '../child.js'
import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import { type Sink, whenQuiet } from '../sink/start-sink.js'
import type { Burst, BurstAnswers } from './burst-process.js'

export interface BurstLoss extends Burst {
  readonly tracked: number
  readonly arrived: number
  readonly twice: number
}

/** How long what was accepted is delivered for: not all of it, at the rates that there are. */
const CLOSE_MS = 3_000

export async function runBurst(
  name: ContestantName,
  sink: Sink,
  impressions: number,
): Promise<BurstLoss> {
  const { wire, callsPerMinute } = contestantOf(name)
  if (!wire) throw new TypeError(`${name} tells nobody`)
  const port = await sink.ask('open', { wire, latencyMs: 0, callsPerMinute })
  const process = await Child.start<BurstAnswers>(new URL('burst-process.js', import.meta.url), {
    args: [name, `http://127.0.0.1:${port}`],
  })
  const burst = await process.ask('burst', { impressions, closeMs: CLOSE_MS })
  await whenQuiet(sink, port)
  await process.stop()
  const arrivals = await sink.ask('arrivals', port)
  const twice = [...arrivals.values()].filter((times) => times > 1)
  return { ...burst, tracked: impressions, arrived: arrivals.size, twice: twice.length }
}
