import type { Contestant } from '../contestants/contestant.js'
import type { Sink } from '../sink/start-sink.js'

const LATENCY_MS = 20

/** The sink's port for a contestant's calls; `undefined`: it tells nobody. */
export async function openPort(
  { wire, latencyMs = LATENCY_MS, callsPerMinute }: Contestant,
  sink: Sink,
): Promise<number | undefined> {
  return wire && sink.ask('open', { wire, latencyMs, callsPerMinute })
}
