import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type CallResult, CircuitBreaker, type Permit } from '../../lib/delivery/circuit-breaker.js'

const RESULTS = ['answered', 'refused', 'ambiguous', 'misconfigured', 'unsent'] as const

type Move =
  | { does: 'enter' }
  | { does: 'leave'; which: number; result: CallResult; retryAfterMs: number | undefined }
  | { does: 'wait'; ms: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ does: fc.constant('enter' as const) }),
  fc.record({
    does: fc.constant('leave' as const),
    which: fc.nat(),
    result: fc.constantFrom(...RESULTS),
    retryAfterMs: fc.option(fc.nat(10_000), { nil: undefined }),
  }),
  fc.record({ does: fc.constant('wait' as const), ms: fc.nat(20_000) }),
)
const walks = fc.array(move, { maxLength: 200 })
const shares = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** What happens at a gate, as its watcher is told of it. */
interface Watch {
  entered?(gate: CircuitBreaker, pass: Permit): void
  left?(
    gate: CircuitBreaker,
    pass: Permit,
    result: CallResult,
    wasClosed: boolean,
    nowMs: number,
  ): void
}

/** Goes as the moves say, entering only where the gate lets a call through. */
function walk(moves: Move[], share: number, watch: Watch = {}) {
  const gate = new CircuitBreaker(() => share)
  const underWay: Permit[] = []
  let nowMs = 0
  for (const one of moves) {
    if (one.does === 'wait') nowMs += one.ms
    else if (one.does === 'enter') {
      if (gate.waitMs(nowMs) > 0) continue
      const pass = gate.acquire(nowMs)
      underWay.push(pass)
      watch.entered?.(gate, pass)
    } else {
      const [pass] = underWay.splice(one.which % Math.max(1, underWay.length), 1)
      if (!pass) continue
      const wasClosed = gate.isClosed
      gate.release(pass, one.result, nowMs, one.retryAfterMs)
      watch.left?.(gate, pass, one.result, wasClosed, nowMs)
    }
  }
  return { gate, underWay, nowMs }
}

function holds(check: (moves: Move[], share: number) => void): void {
  fc.assert(fc.property(walks, shares, check), { numRuns: 1_000 })
}

describe('the gate, whatever happens', () => {
  it('has one probe under way at most while it is closed, and opens by its success alone', () => {
    holds((moves, share) => {
      let probe: Permit | undefined
      let mayAskForMore = false
      walk(moves, share, {
        entered(gate, pass) {
          if (!gate.isClosed) return
          assert.equal(pass.probe, true)
          assert.equal(probe, undefined)
          probe = pass
          mayAskForMore = false
        },
        left(gate, pass, result, wasClosed, nowMs) {
          const isProbe = pass === probe
          if (isProbe) probe = undefined
          else if (result !== 'answered') mayAskForMore = true
          if (!wasClosed) return
          if (!isProbe || result !== 'answered') assert(gate.isClosed)
          // Where a late answer has asked for more time, it opens by the next one.
          else if (mayAskForMore) assert.equal(gate.isClosed, gate.waitMs(nowMs) > 0)
          else assert(!gate.isClosed)
        },
      })
    })
  })

  it('carries one impression at most with a call that goes alone', () => {
    holds((moves, share) => {
      const { gate, nowMs } = walk(moves, share)
      const limit = gate.limit(1_000, nowMs)
      if (gate.waitMs(nowMs) === 0) assert.equal(gate.acquire(nowMs).probe, limit === 1)
    })
  })

  it('is never stuck: once all calls have ended, a call may leave within a minute', () => {
    holds((moves, share) => {
      const { gate, underWay, nowMs } = walk(moves, share)
      for (const pass of underWay) gate.release(pass, 'ambiguous', nowMs)
      const waitMs = gate.waitMs(nowMs)
      assert(waitMs <= 60_000, `it waits for ${waitMs} ms`)
      assert.equal(gate.waitMs(nowMs + waitMs), 0)
    })
  })
})
