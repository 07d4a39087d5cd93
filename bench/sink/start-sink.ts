import { Child } from '../child.js'
import type { SinkAnswers } from './sink.js'

export type Sink = Child<SinkAnswers>

export function startSink(): Promise<Sink> {
  return Child.start<SinkAnswers>(new URL('sink.js', import.meta.url))
}

export const QUIET_MS = 40

/** Resolves when no call has come for a while, or when that takes too long. */
export async function whenQuiet(sink: Sink, port: number): Promise<void> {
  const endMs = performance.now() + 3_000
  let calls = await sink.ask('calls', port)
  while (performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    const now = await sink.ask('calls', port)
    if (now === calls) return
    calls = now
  }
}
