import type { Contestant } from '../contestants/contestant.js'
import type { Sink } from '../sink/start-sink.js'

const DEFAULT_LATENCY_MS = 20

/** Opens a port of the sink for a contestant. `undefined` if the contestant sends no calls. */
export async function openSinkPort(
  { protocol, latencyMs = DEFAULT_LATENCY_MS, callsPerMinute }: Contestant,
  sink: Sink,
): Promise<number | undefined> {
  return protocol && sink.call('open', { protocol, latencyMs, callsPerMinute })
}
