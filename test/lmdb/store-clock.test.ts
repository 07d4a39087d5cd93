import assert from 'node:assert/strict'
import type { State } from '../../lib/lmdb/state.js'
import { advanceStoreClock, machineClock } from '../../lib/lmdb/store-clock.js'

const HOUR_MS = 3_600_000

describe('store clock', () => {
  type Reading = Pick<State, 'bootId' | 'monotonicMs' | 'wallMs'>

  /** How far the store's clock advances from one reading of the machine's clocks to the next. */
  function elapsed(from: Reading, to: Reading): number {
    const state = { timeMs: 1_000, ...from } as State
    const { bootId, monotonicMs, wallMs } = to
    advanceStoreClock(state, { bootId, monotonicNow: () => monotonicMs, wallNow: () => wallMs })
    assert.deepEqual({ ...to, timeMs: state.timeMs }, state)
    return state.timeMs - 1_000
  }

  const before = { bootId: 'a', monotonicMs: 50 * HOUR_MS, wallMs: 1_000 * HOUR_MS }

  it('runs with the monotonic clock, whatever the system clock is set to', () => {
    for (const wallMs of [0, 1_000 * HOUR_MS, 9_000 * HOUR_MS]) {
      assert.equal(elapsed(before, { ...before, monotonicMs: 50 * HOUR_MS + 7, wallMs }), 7)
    }
  })

  it('counts the time that the machine was off', () => {
    const after = { bootId: 'b', monotonicMs: HOUR_MS, wallMs: 1_010 * HOUR_MS }
    assert.equal(elapsed(before, after), 10 * HOUR_MS)
  })

  it('does not take the uptime of another machine for time that has passed', () => {
    const after = { bootId: 'b', monotonicMs: 960 * HOUR_MS, wallMs: 1_000 * HOUR_MS + 60_000 }
    assert.equal(elapsed(before, after), 60_000)
  })

  it('stands still over a restart if the system clock was set back', () => {
    for (const bootId of ['b', '']) {
      const last = { ...before, bootId: bootId && 'a' }
      assert.equal(elapsed(last, { bootId, monotonicMs: HOUR_MS, wallMs: 0 }), 0)
    }
  })

  describe('without a boot id', () => {
    const unknown = { ...before, bootId: '' }

    it('notices a restart when the machine has been up for less time than before', () => {
      const after = { bootId: '', monotonicMs: HOUR_MS, wallMs: 1_010 * HOUR_MS }
      assert.equal(elapsed(unknown, after), 10 * HOUR_MS)
    })

    it('goes by wall time when a machine with a boot id had the directory before', () => {
      const after = { bootId: '', monotonicMs: 960 * HOUR_MS, wallMs: 1_001 * HOUR_MS }
      assert.equal(elapsed(before, after), HOUR_MS)
      assert.equal(elapsed(after, { ...after, bootId: 'b' }), 0)
    })
  })

  it('never goes back', () => {
    for (const bootId of ['a', 'b', '']) {
      for (const monotonicMs of [0, 50 * HOUR_MS, 51 * HOUR_MS]) {
        for (const wallMs of [0, 1_000 * HOUR_MS, 1_001 * HOUR_MS]) {
          assert(elapsed(before, { bootId, monotonicMs, wallMs }) >= 0)
        }
      }
    }
  })

  it('reads the boot id of Linux', () => {
    const expected = process.platform === 'linux' ? /^[0-9a-f-]{36}$/ : /^$/
    assert.match(machineClock.bootId, expected)
  })

  it('reads clocks that all processes of the machine share', () => {
    const nowMs = machineClock.monotonicNow()
    assert(Math.abs(nowMs - Number(process.hrtime.bigint()) / 1e6) < 60_000)
    assert(machineClock.monotonicNow() >= nowMs)
  })
})
