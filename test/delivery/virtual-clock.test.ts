import assert from 'node:assert/strict'
import fc from 'fast-check'
import { VirtualClock } from './virtual-clock.js'

describe('the virtual clock', () => {
  it('runs timers by their time, and those of the same time in the order they were set', () => {
    const delays = fc.array(fc.integer({ min: -5, max: 50 }), { maxLength: 200 })
    fc.assert(
      fc.property(delays, fc.func(fc.boolean()), (all, isCancelled) => {
        const clock = new VirtualClock(0)
        const rung: (readonly [atMs: number, place: number])[] = []
        const kept = all.map((delayMs, place) => {
          const cancel = clock.after(delayMs, () => rung.push([clock.now(), place]))
          if (isCancelled(place)) cancel()
          return [Math.max(0, delayMs), place, isCancelled(place)] as const
        })
        clock.advance(50)
        const expected = kept.filter(([, , cancelled]) => !cancelled)
        expected.sort(([one], [other]) => one - other)
        assert.deepEqual(
          rung,
          expected.map(([atMs, place]) => [atMs, place]),
        )
        assert.equal(clock.pendingTimers, 0)
        assert.equal(clock.now(), 50)
      }),
    )
  })

  it('runs what is to run soon before any timer, and without time passing', () => {
    const clock = new VirtualClock(0)
    const said: string[] = []
    clock.after(0, () => said.push('timer'))
    clock.defer(() => {
      said.push('soon')
      clock.defer(() => said.push('sooner'))
    })
    clock.advance(0)
    assert.deepEqual(said, ['soon', 'sooner', 'timer'])
  })

  it('forgets cancelled timers without losing others', () => {
    const clock = new VirtualClock(0)
    let rung = 0
    for (let n = 0; n < 5_000; n += 1) {
      clock.after(n, () => {
        rung += 1
      })
      clock.after(n, () => assert.fail('it was cancelled'))()
    }
    assert.equal(clock.pendingTimers, 5_000)
    clock.advance(5_000)
    assert.equal(rung, 5_000)
  })
})
