// Tests lib/delivery/outbox/shared-outbox.ts

import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ok, type Script } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { FleetProcess } from './fleet-process.js'
import { MemoryStore } from './memory-store.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Closient's, with a day of two hours and a budget in proportion. */
const DAY_MS = 2 * HOUR_MS
const WINDOWS = [
  { limit: 300, windowMs: MINUTE_MS },
  { limit: 833, windowMs: DAY_MS },
]

function assertWithinWindows(callsAtMs: readonly number[]): void {
  for (const { limit, windowMs } of WINDOWS) {
    const isExceeded = callsAtMs.some((atMs, index) => {
      const next = callsAtMs[index + limit]
      return next !== undefined && next - atMs < windowMs
    })
    assert(!isExceeded, `more than ${limit} calls in ${windowMs} ms`)
  }
}

describe('the quota of a fleet', () => {
  it('is never exceeded in a day of four processes that are restarted, and lasts for the day', async function () {
    this.timeout(120_000)
    const clock = new VirtualClock()
    const store = new MemoryStore(clock.now)
    const callsAtMs: number[] = []
    const counted = new Map<number, number>()
    const script: Script = ({ items, atMs }) => {
      callsAtMs.push(atMs)
      for (const item of items) counted.set(item, (counted.get(item) ?? 0) + 1)
      return ok
    }
    const network = { windows: WINDOWS, maxBatch: 1_000, connections: 8 }
    const start = () => new FleetProcess({ clock, store, network, script })
    const fleet = Array.from({ length: 4 }, start)
    const ended: FleetProcess[] = []
    let tracked = 0
    for (let second = 0; second < DAY_MS / 1_000; second += 1) {
      tracked += 1
      fleet[second % fleet.length]?.push(tracked)
      // Every 15 minutes, the next process is restarted: once cleanly, once not.
      if (second % 900 === 450) {
        const at = Math.floor(second / 900) % fleet.length
        const old = fleet[at]
        assert(old)
        if (at % 2 === 0) await Promise.all([old.delivery.close(), clock.advanceAsync(2_500)])
        old.kill()
        ended.push(old)
        fleet[at] = start()
      }
      await clock.advanceAsync(1_000)
      if (second % 1_000 === 0) await nextTurn()
    }
    await clock.advanceAsync(DAY_MS / 2)

    assertWithinWindows(callsAtMs)
    assert(callsAtMs.length > 300, `only ${callsAtMs.length} calls: impressions wait too long`)
    assert([...counted.values()].every((times) => times === 1))
    const uncertain = fleet.reduce((sum, { stats }) => sum + stats.uncertain, 0)
    const dropped = [...fleet, ...ended].reduce((sum, { stats }) => sum + stats.dropped, 0)
    assert.equal(dropped, 0)
    // Killed processes lose what they had not stored yet, at most one impression each here.
    assert(counted.size + uncertain >= tracked - ended.length, `${tracked - counted.size} lost`)
  })
})
