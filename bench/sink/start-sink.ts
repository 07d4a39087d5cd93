import { setTimeout as sleep } from 'node:timers/promises'
import { RpcChild } from '../rpc-child.js'
import type { SinkMethods } from './sink-process.js'

/** The process that receives the contestants' calls. */
export type Sink = RpcChild<SinkMethods>

export function startSink(): Promise<Sink> {
  return RpcChild.start<SinkMethods>(new URL('sink-process.js', import.meta.url))
}

const QUIET_MS = 40
const MAX_WAIT_MS = 3_000

/**
 * Resolves when no call has arrived for a while, or when that takes too long. A contestant that
 * sends no calls waits as well: V8 compiles while a process is idle, and that costs CPU time too.
 */
export async function waitUntilQuiet(sink: Sink, port: number | undefined): Promise<void> {
  if (port === undefined) {
    await sleep(QUIET_MS)
    return
  }
  const endMs = performance.now() + MAX_WAIT_MS
  let calls = await sink.call('countCalls', port)
  while (performance.now() < endMs) {
    await sleep(QUIET_MS)
    const callsNow = await sink.call('countCalls', port)
    if (callsNow === calls) return
    calls = callsNow
  }
}
