import assert from 'node:assert/strict'
import fc from 'fast-check'
import { VirtualClock } from './virtual-clock.js'

describe('the virtual clock', () => {
  it('runs timers in the order of their time, and at the same time in the order they were set', () => {
    const delays = fc.array(fc.integer({ min: -5, max: 50 }), { maxLength: 200 })
    fc.assert(
      fc.property(delays, fc.func(fc.boolean()), (delaysMs, isCancelled) => {
        const clock = new VirtualClock(0)
        const runs: (readonly [atMs: number, index: number])[] = []
        const timers = delaysMs.map((delayMs, index) => {
          const cancel = clock.after(delayMs, () => runs.push([clock.now(), index]))
          if (isCancelled(index)) cancel()
          return [Math.max(0, delayMs), index, isCancelled(index)] as const
        })
        clock.advance(50)
        const expected = timers.filter(([, , cancelled]) => !cancelled)
        expected.sort(([one], [other]) => one - other)
        assert.deepEqual(
          runs,
          expected.map(([atMs, index]) => [atMs, index]),
        )
        assert.equal(clock.pendingTimers, 0)
        assert.equal(clock.now(), 50)
      }),
    )
  })

  it('runs deferred tasks before any timer, without time passing', () => {
    const clock = new VirtualClock(0)
    const runs: string[] = []
    clock.after(0, () => runs.push('timer'))
    clock.defer(() => {
      runs.push('deferred')
      clock.defer(() => runs.push('deferred by a deferred task'))
    })
    clock.advance(0)
    assert.deepEqual(runs, ['deferred', 'deferred by a deferred task', 'timer'])
  })

  it('removes cancelled timers without losing others', () => {
    const clock = new VirtualClock(0)
    let runs = 0
    for (let n = 0; n < 5_000; n += 1) {
      clock.after(n, () => {
        runs += 1
      })
      clock.after(n, () => assert.fail('a cancelled timer ran'))()
    }
    assert.equal(clock.pendingTimers, 5_000)
    clock.advance(5_000)
    assert.equal(runs, 5_000)
  })
})
