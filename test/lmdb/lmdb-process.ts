// A process that uses an LMDB store, for lmdb-processes.test.ts

import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { machineClock } from '../../lib/lmdb/store-clock.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'

/** What the process does, and with which store. */
export interface ProcessTask {
  readonly path: string
  readonly name: string
  /**
   * `work`: appends, claims and settles groups until it ends. `fill`: appends until it ends.
   * `stop` and `die`: sends itself this signal in the middle of its second step.
   */
  readonly role: 'work' | 'fill' | 'stop' | 'die'
}

/** What the process tells: the group that the store has appended or settled, or the error. */
export interface ProcessReport {
  readonly appended?: string
  readonly settled?: string
  readonly error?: string
}

/** Records of a group are in one place at all times. */
export const GROUP_SIZE = 7

const SIGNALS = { stop: 'SIGSTOP', die: 'SIGKILL', work: undefined, fill: undefined } as const

process.once('message', async (task: ProcessTask) => {
  const signal = SIGNALS[task.role]
  let steps = 0
  let isSent = false
  const clock = {
    ...machineClock,
    monotonicNow() {
      // While a step runs, it has the write lock.
      if (signal && steps === 2 && !isSent && isInStep()) {
        isSent = true
        process.kill(process.pid, signal)
      }
      return machineClock.monotonicNow()
    },
  }
  const store = new LmdbStore({ path: task.path, sync: 'soon', network: 'acme', clock })
  const owner = new StoreOwner(store, task.name)
  for (let n = 0; ; n += 1) {
    steps += 1
    await runGroup(owner, `${task.name}-${n}`, task.role === 'work' && n % 4 > 0)
  }
})

function isInStep(): boolean {
  return new Error('').stack?.includes('runStep') === true
}

async function runGroup(owner: StoreOwner, group: string, isSettled: boolean): Promise<void> {
  const ids = Array.from({ length: GROUP_SIZE }, (_, n) => `${group}-${n}`)
  const append = records(...ids).map((record) => ({ ...record, payload: 'x'.repeat(500) }))
  try {
    await owner.exchange({ append, leaseMs: 60_000 })
    report({ appended: group })
    if (!isSettled) return
    await owner.exchange({ claim: ids, leaseMs: 60_000 })
    await owner.exchange({ settle: ids, leaseMs: 60_000 })
    report({ settled: group })
  } catch (thrown) {
    report({ error: String(thrown) })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function report(message: ProcessReport): void {
  process.send?.(message)
}

// A process without its parent has no purpose.
process.on('disconnect', () => process.exit())
