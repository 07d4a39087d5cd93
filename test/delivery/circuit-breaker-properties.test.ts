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

type Step =
  | { kind: 'acquire' }
  | { kind: 'release'; index: number; result: CallResult; retryAfterMs: number | undefined }
  | { kind: 'wait'; ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('acquire' as const) }),
  fc.record({
    kind: fc.constant('release' as const),
    index: fc.nat(),
    result: fc.constantFrom(...RESULTS),
    retryAfterMs: fc.option(fc.nat(10_000), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(20_000) }),
)
const stepLists = fc.array(step, { maxLength: 200 })
const randomNumbers = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

interface Release {
  readonly breaker: CircuitBreaker
  readonly permit: Permit
  readonly result: CallResult
  /** Whether the circuit breaker was limiting calls before the release. */
  readonly wasOpen: boolean
  readonly nowMs: number
}

interface Observer {
  onAcquire?(breaker: CircuitBreaker, permit: Permit): void
  onRelease?(release: Release): void
}

/** Plays the steps on a new circuit breaker; acquires only when it lets a call through. */
function play(steps: Step[], random: number, observer: Observer = {}) {
  const breaker = new CircuitBreaker(() => random)
  const inFlight: Permit[] = []
  let nowMs = 0
  for (const step of steps) {
    if (step.kind === 'wait') nowMs += step.ms
    else if (step.kind === 'acquire') {
      if (breaker.waitMs(nowMs) > 0) continue
      const permit = breaker.acquire(nowMs)
      inFlight.push(permit)
      observer.onAcquire?.(breaker, permit)
    } else {
      const [permit] = inFlight.splice(step.index % Math.max(1, inFlight.length), 1)
      if (!permit) continue
      const { result } = step
      const wasOpen = breaker.isOpen
      breaker.release(permit, result, nowMs, step.retryAfterMs)
      observer.onRelease?.({ breaker, permit, result, wasOpen, nowMs })
    }
  }
  return { breaker, inFlight, nowMs }
}

function assertForAnySteps(check: (steps: Step[], random: number) => void): void {
  fc.assert(fc.property(stepLists, randomNumbers, check), { numRuns: 1_000 })
}

/** Asserts that there is one probe at a time, and that only its success ends the outage. */
class ProbeObserver implements Observer {
  #probe: Permit | undefined
  /** Whether another call failed since the probe began: it may have asked for a longer wait. */
  #hasOtherFailed = false

  onAcquire(breaker: CircuitBreaker, permit: Permit): void {
    if (!breaker.isOpen) return
    assert.equal(permit.isProbe, true)
    assert.equal(this.#probe, undefined)
    this.#probe = permit
    this.#hasOtherFailed = false
  }

  onRelease({ breaker, permit, result, wasOpen, nowMs }: Release): void {
    const isProbe = permit === this.#probe
    if (isProbe) this.#probe = undefined
    else if (result !== 'answered') this.#hasOtherFailed = true
    if (!wasOpen) return
    if (!isProbe || result !== 'answered') assert(breaker.isOpen)
    // If a late answer asked for a longer wait, the next probe ends the outage instead.
    else if (this.#hasOtherFailed) assert.equal(breaker.isOpen, breaker.waitMs(nowMs) > 0)
    else assert(!breaker.isOpen)
  }
}

describe('the circuit breaker, after any sequence of calls', () => {
  it('allows one probe at a time during an outage, and recovers only when a probe succeeds', () => {
    assertForAnySteps((steps, random) => {
      play(steps, random, new ProbeObserver())
    })
  })

  it('limits every probe to one impression', () => {
    assertForAnySteps((steps, random) => {
      const { breaker, nowMs } = play(steps, random)
      const limit = breaker.limit(1_000, nowMs)
      if (breaker.waitMs(nowMs) === 0) assert.equal(breaker.acquire(nowMs).isProbe, limit === 1)
    })
  })

  it('allows a call within a minute once all calls have ended', () => {
    assertForAnySteps((steps, random) => {
      const { breaker, inFlight, nowMs } = play(steps, random)
      for (const permit of inFlight) breaker.release(permit, 'ambiguous', nowMs)
      const waitMs = breaker.waitMs(nowMs)
      assert(waitMs <= 60_000, `it waits for ${waitMs} ms`)
      assert.equal(breaker.waitMs(nowMs + waitMs), 0)
    })
  })
})
