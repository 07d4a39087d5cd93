import { readSync } from 'node:fs'
import { type Clock, systemClock } from '../../../lib/clock.js'
import type { CallEnd } from '../../../lib/delivery/call/transport.js'
import { createEnsRequest, createTransportTo, sendCall } from './send-call.js'

/** What this process does. A test sends it after starting the process. */
export interface CallerTask {
  readonly baseUrl: string
  readonly calls: number
  readonly connections: number
  readonly proxy?: string | undefined
  readonly pause?: Pause | undefined
}

/** What this process does at the test's next message. It sends one back when it has begun. */
export interface Pause {
  /** What is due after `dueMs`: the deadlines of all calls, or the end of the transport. */
  readonly due: 'deadlines' | 'destroy'
  readonly dueMs: number
  /** Whether to do nothing else until the test writes to standard input. */
  readonly isBusy: boolean
}

export interface CallerReport {
  readonly ends: readonly CallEnd[]
}

const deadlines = new Set<() => void>()

/** Deadlines begin with the pause: until then, connecting may take as long as the machine needs. */
const clock: Clock = {
  ...systemClock,
  after(_delayMs, task) {
    const deadline = () => task()
    deadlines.add(deadline)
    return () => deadlines.delete(deadline)
  },
}

function fireDeadlines(): void {
  for (const deadline of deadlines) deadline()
}

process.once('message', async (task: CallerTask) => {
  const { baseUrl, calls, connections, proxy, pause } = task
  const transport = createTransportTo(baseUrl, { connections, proxy, clock })
  const ends = Array.from({ length: calls }, (_, n) => sendCall(transport, createEnsRequest(n + 1)))
  if (pause) {
    process.once('message', () => {
      const fire = pause.due === 'destroy' ? () => void transport.destroy() : fireDeadlines
      setTimeout(fire, pause.dueMs)
      process.send?.('begun')
      if (pause.isBusy) readSync(0, Buffer.alloc(1))
    })
  }
  const report: CallerReport = { ends: await Promise.all(ends) }
  // Disconnecting at once would cut off a long report.
  process.send?.(report, () => process.disconnect())
})
