import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.js'
import type { SinkAnswers } from './sink.js'

export type Sink = Child<SinkAnswers>

export function startSink(): Promise<Sink> {
  return Child.start<SinkAnswers>(new URL('sink.js', import.meta.url))
}

const QUIET_MS = 40

/**
 * Resolves when no call has come for a while, or when that takes too long. Who tells nobody waits as
 * long: a process that is left alone compiles, which is CPU time as well.
 */
export async function whenQuiet(sink: Sink, port: number | undefined): Promise<void> {
  if (port === undefined) {
    await sleep(QUIET_MS)
    return
  }
  const endMs = performance.now() + 3_000
  let calls = await sink.ask('calls', port)
  while (performance.now() < endMs) {
    await sleep(QUIET_MS)
    const now = await sink.ask('calls', port)
    if (now === calls) return
    calls = now
  }
}
