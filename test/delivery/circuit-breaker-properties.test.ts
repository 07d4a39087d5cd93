import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type CallResult, CircuitBreaker, type Permit } from '../../lib/delivery/circuit-breaker.js'

const RESULTS = [
  'answered',
  'refused',
  'paused',
  'ambiguous',
  'suspect',
  'misconfigured',
  'unsent',
] as const

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

/** What happens at a breaker, as its watcher is told of it. */
interface Watch {
  entered?(breaker: CircuitBreaker, permit: Permit): void
  left?(
    breaker: CircuitBreaker,
    permit: Permit,
    result: CallResult,
    wasOpen: boolean,
    nowMs: number,
  ): void
}

/** Goes as the moves say, entering only where the breaker lets a call through. */
function walk(moves: Move[], share: number, watch: Watch = {}) {
  const breaker = new CircuitBreaker(() => share)
  const underWay: Permit[] = []
  let nowMs = 0
  for (const one of moves) {
    if (one.does === 'wait') nowMs += one.ms
    else if (one.does === 'enter') {
      if (breaker.waitMs(nowMs) > 0) continue
      const permit = breaker.acquire(nowMs)
      underWay.push(permit)
      watch.entered?.(breaker, permit)
    } else {
      const [permit] = underWay.splice(one.which % Math.max(1, underWay.length), 1)
      if (!permit) continue
      const wasOpen = breaker.isOpen
      breaker.release(permit, one.result, nowMs, one.retryAfterMs)
      watch.left?.(breaker, permit, one.result, wasOpen, nowMs)
    }
  }
  return { breaker, underWay, nowMs }
}

function holds(check: (moves: Move[], share: number) => void): void {
  fc.assert(fc.property(walks, shares, check), { numRuns: 1_000 })
}

/** Checks that an open breaker lets one probe through, and that only its success closes it. */
function createProbeWatch(): Watch {
  let probe: Permit | undefined
  let mayAskForMore = false
  return {
    entered(breaker, permit) {
      if (!breaker.isOpen) return
      assert.equal(permit.isProbe, true)
      assert.equal(probe, undefined)
      probe = permit
      mayAskForMore = false
    },
    left(breaker, permit, result, wasOpen, nowMs) {
      const isProbe = permit === probe
      if (isProbe) probe = undefined
      else if (result !== 'answered') mayAskForMore = true
      if (wasOpen) checkStillOpen(breaker, isProbe && result === 'answered', mayAskForMore, nowMs)
    },
  }
}

function checkStillOpen(
  breaker: CircuitBreaker,
  hasSucceeded: boolean,
  mayAskForMore: boolean,
  nowMs: number,
): void {
  if (!hasSucceeded) assert(breaker.isOpen)
  // If a late answer has asked for more time, the next success closes it.
  else if (mayAskForMore) assert.equal(breaker.isOpen, breaker.waitMs(nowMs) > 0)
  else assert(!breaker.isOpen)
}

describe('the circuit breaker, after any sequence of calls', () => {
  it('lets one probe through while it is open, and only its success closes it', () => {
    holds((moves, share) => {
      walk(moves, share, createProbeWatch())
    })
  })

  it('carries one impression at most with a call that goes alone', () => {
    holds((moves, share) => {
      const { breaker, nowMs } = walk(moves, share)
      const limit = breaker.limit(1_000, nowMs)
      if (breaker.waitMs(nowMs) === 0) assert.equal(breaker.acquire(nowMs).isProbe, limit === 1)
    })
  })

  it('is never stuck: once all calls have ended, a call may leave within a minute', () => {
    holds((moves, share) => {
      const { breaker, underWay, nowMs } = walk(moves, share)
      for (const permit of underWay) breaker.release(permit, 'ambiguous', nowMs)
      const waitMs = breaker.waitMs(nowMs)
      assert(waitMs <= 60_000, `it waits for ${waitMs} ms`)
      assert.equal(breaker.waitMs(nowMs + waitMs), 0)
    })
  })
})
