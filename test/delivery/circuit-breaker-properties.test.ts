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
  | { does: 'acquire' }
  | { does: 'release'; which: number; result: CallResult; retryAfterMs: number | undefined }
  | { does: 'wait'; ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('acquire' as const) }),
  fc.record({
    does: fc.constant('release' as const),
    which: fc.nat(),
    result: fc.constantFrom(...RESULTS),
    retryAfterMs: fc.option(fc.nat(10_000), { nil: undefined }),
  }),
  fc.record({ does: fc.constant('wait' as const), ms: fc.nat(20_000) }),
)
const stepSequences = fc.array(step, { maxLength: 200 })
const randomValues = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

interface ReleasedCall {
  readonly permit: Permit
  readonly result: CallResult
  /** Whether the breaker was open before the release. */
  readonly wasOpen: boolean
  readonly nowMs: number
}

interface CallObserver {
  onAcquire(breaker: CircuitBreaker, permit: Permit): void
  onRelease(breaker: CircuitBreaker, call: ReleasedCall): void
}

/** Runs the steps on a breaker. A call is acquired only if the breaker lets it through. */
class BreakerRun {
  readonly breaker: CircuitBreaker
  readonly inFlight: Permit[] = []
  nowMs = 0
  readonly #observer: CallObserver | undefined

  constructor(steps: readonly Step[], randomValue: number, observer?: CallObserver) {
    this.breaker = new CircuitBreaker(() => randomValue)
    this.#observer = observer
    for (const one of steps) {
      if (one.does === 'wait') this.nowMs += one.ms
      else if (one.does === 'acquire') this.#acquire()
      else this.#release(one.which, one.result, one.retryAfterMs)
    }
  }

  #acquire(): void {
    if (this.breaker.waitMs(this.nowMs) > 0) return
    const permit = this.breaker.acquire(this.nowMs)
    this.inFlight.push(permit)
    this.#observer?.onAcquire(this.breaker, permit)
  }

  #release(which: number, result: CallResult, retryAfterMs: number | undefined): void {
    const { breaker, inFlight, nowMs } = this
    const [permit] = inFlight.splice(which % Math.max(1, inFlight.length), 1)
    if (!permit) return
    const wasOpen = breaker.isOpen
    breaker.release(permit, result, nowMs, retryAfterMs)
    this.#observer?.onRelease(breaker, { permit, result, wasOpen, nowMs })
  }
}

/** Checks that an open breaker has one probe at a time and closes only after its success. */
class ProbeChecker implements CallObserver {
  #probe: Permit | undefined
  /** Whether a late answer may have asked for a longer wait since the probe was sent. */
  #mayWaitLonger = false

  onAcquire(breaker: CircuitBreaker, permit: Permit): void {
    if (!breaker.isOpen) return
    assert.equal(permit.isProbe, true)
    assert.equal(this.#probe, undefined)
    this.#probe = permit
    this.#mayWaitLonger = false
  }

  onRelease(breaker: CircuitBreaker, { permit, result, wasOpen, nowMs }: ReleasedCall): void {
    const isProbe = permit === this.#probe
    if (isProbe) this.#probe = undefined
    else if (result !== 'answered') this.#mayWaitLonger = true
    if (!wasOpen) return
    if (!isProbe || result !== 'answered') assert(breaker.isOpen)
    // After a longer wait, the next probe closes it.
    else if (this.#mayWaitLonger) assert.equal(breaker.isOpen, breaker.waitMs(nowMs) > 0)
    else assert(!breaker.isOpen)
  }
}

function assertProperty(check: (steps: Step[], randomValue: number) => void): void {
  fc.assert(fc.property(stepSequences, randomValues, check), { numRuns: 1_000 })
}

describe('the circuit breaker, after any sequence of calls', () => {
  it('has at most one probe in flight while it is open, and closes only after its success', () => {
    assertProperty((steps, randomValue) => {
      new BreakerRun(steps, randomValue, new ProbeChecker())
    })
  })

  it('allows a probe to carry only one impression', () => {
    assertProperty((steps, randomValue) => {
      const { breaker, nowMs } = new BreakerRun(steps, randomValue)
      const limit = breaker.limit(1_000, nowMs)
      if (breaker.waitMs(nowMs) === 0) assert.equal(breaker.acquire(nowMs).isProbe, limit === 1)
    })
  })

  it('lets a call through within a minute after all calls have ended', () => {
    assertProperty((steps, randomValue) => {
      const { breaker, inFlight, nowMs } = new BreakerRun(steps, randomValue)
      for (const permit of inFlight) breaker.release(permit, 'ambiguous', nowMs)
      const waitMs = breaker.waitMs(nowMs)
      assert(waitMs <= 60_000, `it waits for ${waitMs} ms`)
      assert.equal(breaker.waitMs(nowMs + waitMs), 0)
    })
  })
})
