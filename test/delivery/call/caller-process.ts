import type { CallEnd } from '../../../lib/delivery/call/transport.js'
import { createEnsRequest, createTransportTo, sendCall } from './send-call.js'

/** What this process does. A test sends it after starting the process. */
export interface CallerTask {
  readonly baseUrl: string
  readonly calls: number
  readonly connections: number
  readonly timeoutMs: number
  readonly proxy?: string | undefined
  /** How long the process is busy after the test's next message. */
  readonly busyMs?: number | undefined
  /** Whether to destroy the transport in a timer that is due at the end of the busy time. */
  readonly destroys?: boolean | undefined
}

export interface CallerReport {
  readonly ends: readonly CallEnd[]
}

process.once('message', async (task: CallerTask) => {
  const { baseUrl, calls, connections, timeoutMs, proxy, busyMs = 0, destroys = false } = task
  const transport = createTransportTo(baseUrl, { connections, timeoutMs, proxy })
  const ends = Array.from({ length: calls }, (_, n) => sendCall(transport, createEnsRequest(n + 1)))
  process.once('message', () => {
    if (destroys) setTimeout(() => void transport.destroy(), busyMs - 1)
    const endMs = performance.now() + busyMs
    while (performance.now() < endMs);
  })
  const report: CallerReport = { ends: await Promise.all(ends) }
  // Disconnecting at once would cut off a long report.
  process.send?.(report, () => process.disconnect())
})
