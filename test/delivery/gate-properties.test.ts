import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type CallResult, Gate, type Pass } from '../../lib/delivery/gate.js'

describe('the gate, whatever happens', () => {
  type Move =
    | { does: 'enter' }
    | { does: 'leave'; which: number; result: CallResult; retryAfterMs: number | undefined }
    | { does: 'wait'; ms: number }

  function walks(...results: CallResult[]): fc.Arbitrary<Move[]> {
    const move = fc.oneof(
      fc.record({ does: fc.constant('enter' as const) }),
      fc.record({
        does: fc.constant('leave' as const),
        which: fc.nat(),
        result: fc.constantFrom(...results),
        retryAfterMs: fc.option(fc.nat(10_000), { nil: undefined }),
      }),
      fc.record({ does: fc.constant('wait' as const), ms: fc.nat(20_000) }),
    )
    return fc.array(move, { maxLength: 200 })
  }

  const shares = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  /** Goes as the moves say; `onLeave` is told before and after each call's end. */
  function walk(
    moves: Move[],
    share: number,
    onLeave: (gate: Gate, pass: Pass, result: CallResult, leave: () => void) => void,
  ) {
    const gate = new Gate(() => share)
    const underWay: Pass[] = []
    let nowMs = 0
    for (const move of moves) {
      if (move.does === 'wait') nowMs += move.ms
      else if (move.does === 'enter') {
        if (gate.waitMs(nowMs) === 0) underWay.push(gate.enter())
      } else {
        const [pass] = underWay.splice(move.which % Math.max(1, underWay.length), 1)
        if (!pass) continue
        onLeave(gate, pass, move.result, () => {
          gate.leave(pass, move.result, nowMs, move.retryAfterMs)
        })
      }
    }
    return { gate, underWay, nowMs }
  }

  it('has one probe under way at most, and opens by its success alone', () => {
    const moves = walks('answered', 'refused', 'misconfigured', 'unsent')
    fc.assert(
      fc.property(moves, shares, (all, share) => {
        let nowMs = 0
        const gate = new Gate(() => share)
        const underWay: Pass[] = []
        for (const move of all) {
          const wasClosed = gate.limit(2) === 1
          if (move.does === 'wait') nowMs += move.ms
          else if (move.does === 'enter') {
            if (gate.waitMs(nowMs) > 0) continue
            const pass = gate.enter()
            assert.equal(pass.probe, wasClosed)
            underWay.push(pass)
            assert(underWay.filter(({ probe }) => probe).length <= 1)
          } else {
            const [pass] = underWay.splice(move.which % Math.max(1, underWay.length), 1)
            if (!pass) continue
            gate.leave(pass, move.result, nowMs, move.retryAfterMs)
            const opens = wasClosed && gate.limit(2) === 2
            assert.equal(opens, wasClosed && pass.probe && move.result === 'answered')
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is never stuck: once all calls have ended, a call may leave within a minute', () => {
    const moves = walks('answered', 'refused', 'ambiguous', 'misconfigured', 'unsent')
    fc.assert(
      fc.property(moves, shares, (all, share) => {
        const { gate, underWay, nowMs } = walk(all, share, (_gate, _pass, _result, leave) =>
          leave(),
        )
        for (const pass of underWay) gate.leave(pass, 'answered', nowMs)
        const waitMs = gate.waitMs(nowMs)
        assert(waitMs <= 60_000, `it waits for ${waitMs} ms`)
        assert.equal(gate.waitMs(nowMs + waitMs), 0)
      }),
      { numRuns: 500 },
    )
  })

  it('goes from one impression a call to all only by an answer', () => {
    const moves = walks('answered', 'refused', 'ambiguous', 'misconfigured', 'unsent')
    fc.assert(
      fc.property(moves, shares, (all, share) => {
        walk(all, share, (gate, _pass, result, leave) => {
          const before = gate.limit(2)
          leave()
          if (before === 1 && gate.limit(2) === 2) assert.equal(result, 'answered')
        })
      }),
      { numRuns: 500 },
    )
  })
})
