import assert from 'node:assert/strict'
import type { State } from '../../lib/lmdb/state.js'
import { advanceStoreClock, machineClock } from '../../lib/lmdb/store-clock.js'

const HOUR_MS = 3_600_000

describe('store clock', () => {
  /** How far the store's clock advances from one reading of the machine's clocks to the next. */
  function elapsed(
    from: { monotonicMs: number; wallMs: number },
    to: { monotonicMs: number; wallMs: number },
  ): number {
    const state = { timeMs: 1_000, ...from } as State
    const clock = { monotonicNow: () => to.monotonicMs, wallNow: () => to.wallMs }
    advanceStoreClock(state, clock)
    assert.equal(state.monotonicMs, to.monotonicMs)
    assert.equal(state.wallMs, to.wallMs)
    return state.timeMs - 1_000
  }

  const before = { monotonicMs: 50 * HOUR_MS, wallMs: 1_000 * HOUR_MS }

  it('runs with the monotonic clock, whatever the system clock is set to', () => {
    for (const wallMs of [0, 1_000 * HOUR_MS, 9_000 * HOUR_MS]) {
      assert.equal(elapsed(before, { monotonicMs: 50 * HOUR_MS + 7, wallMs }), 7)
    }
  })

  it('counts the time that the machine was off', () => {
    const after = { monotonicMs: HOUR_MS, wallMs: 1_010 * HOUR_MS }
    assert.equal(elapsed(before, after), 10 * HOUR_MS)
  })

  it('counts the time since the machine was started if the system clock was set back', () => {
    assert.equal(elapsed(before, { monotonicMs: HOUR_MS, wallMs: 0 }), HOUR_MS)
  })

  it('never goes back', () => {
    assert.equal(elapsed(before, before), 0)
    assert.equal(elapsed(before, { monotonicMs: 0, wallMs: 0 }), 0)
  })

  it('reads clocks that all processes of the machine share', () => {
    const nowMs = machineClock.monotonicNow()
    assert(Math.abs(nowMs - Number(process.hrtime.bigint()) / 1e6) < 60_000)
    assert(machineClock.monotonicNow() >= nowMs)
  })
})
