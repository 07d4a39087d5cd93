import assert from 'node:assert/strict'
import { type CallResult, CircuitBreaker } from '../../lib/delivery/circuit-breaker.js'

const HALF = () => 0.5

/** A breaker, and functions that make calls through it. */
function createBreaker(random: () => number = HALF) {
  const breaker = new CircuitBreaker(random)
  const call = (result: CallResult, nowMs: number, retryAfterMs?: number) => {
    assert.equal(breaker.waitMs(nowMs), 0, 'the breaker blocks a call')
    breaker.release(breaker.acquire(nowMs), result, nowMs, retryAfterMs)
  }
  const acquire = (count: number) => Array.from({ length: count }, () => breaker.acquire(0))
  return { breaker, call, acquire }
}

describe('the circuit breaker', () => {
  it('allows full batches while calls are answered', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 100; n += 1) call('answered', n)
    assert.equal(breaker.waitMs(100), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
  })

  it('waits a random part of a backoff that doubles up to a minute', () => {
    for (const share of [0, 0.25, 0.999]) {
      const { breaker, call } = createBreaker(() => share)
      let nowMs = 0
      for (const boundMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
        call('paused', nowMs)
        assert.equal(breaker.waitMs(nowMs), share * boundMs)
        nowMs += breaker.waitMs(nowMs)
      }
    }
  })

  it('starts again with the shortest backoff after a success', () => {
    const { breaker, call } = createBreaker()
    for (const nowMs of [0, 10_000, 20_000]) call('paused', nowMs)
    call('answered', 30_000)
    call('paused', 30_000)
    assert.equal(breaker.waitMs(30_000), 250)
  })

  it('waits for the longer of the network’s own wait and its backoff', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0, 2_000)
    assert.equal(breaker.waitMs(0), 2_000)
    call('paused', 2_000, 1)
    assert.equal(breaker.waitMs(2_000), 500)
  })

  it('allows one probe, and nothing else until the probe has ended', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0)
    const probe = breaker.acquire(0)
    assert.equal(probe.isProbe, true)
    assert.equal(breaker.waitMs(1_000_000), Number.POSITIVE_INFINITY)
    breaker.release(probe, 'paused', 1_000)
    assert.equal(breaker.waitMs(1_000), 500)
  })

  it('allows full batches again after the probe has succeeded', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0)
    call('answered', 250)
    assert.equal(breaker.waitMs(250), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
    assert.equal(breaker.acquire(0).isProbe, false)
  })

  it('limits a probe to one impression, whatever opened the breaker', () => {
    for (const result of ['paused', 'misconfigured'] as const) {
      const { breaker, call } = createBreaker()
      call(result, 0)
      assert.equal(breaker.limit(1_000, 0), 1)
    }
  })

  it('allows another probe at once if the last one could not be sent', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0)
    call('unsent', 250)
    assert.equal(breaker.waitMs(250), 0)
    assert.equal(breaker.limit(1_000, 0), 1)
  })

  it('probes once a minute at most while the key is wrong', () => {
    const { breaker, call } = createBreaker(() => 0)
    call('misconfigured', 0)
    assert.equal(breaker.waitMs(0), 60_000)
    call('misconfigured', 60_000)
    assert.equal(breaker.waitMs(60_000), 60_000)
  })
})

describe('the circuit breaker, for calls that were in flight when it opened', () => {
  it('counts only the first result as a failure', () => {
    const { breaker, acquire } = createBreaker()
    for (const permit of acquire(128)) breaker.release(permit, 'paused', 0)
    assert.equal(breaker.waitMs(0), 250)
    breaker.release(breaker.acquire(0), 'paused', 250)
    assert.equal(breaker.waitMs(250), 500, 'the second failure, not the 129th')
  })

  it('draws one random backoff, instead of the longest of many', () => {
    let draws = 0
    const { breaker, acquire } = createBreaker(() => {
      draws += 1
      return draws === 1 ? 0.1 : 0.99
    })
    for (const permit of acquire(128)) breaker.release(permit, 'paused', 0)
    assert.equal(breaker.waitMs(0), 50)
    assert.equal(draws, 1)
  })

  it('waits for the longest time that any answer asks for', () => {
    const { breaker, acquire } = createBreaker()
    const [one, other, third] = acquire(3)
    assert(one && other && third)
    breaker.release(one, 'paused', 0)
    breaker.release(other, 'paused', 0, 5_000)
    assert.equal(breaker.waitMs(0), 5_000)
    breaker.release(third, 'misconfigured', 0)
    assert.equal(breaker.waitMs(0), 60_000)
  })

  it('stays open after one of them succeeds', () => {
    const { breaker, acquire } = createBreaker()
    const [one, other] = acquire(2)
    assert(one && other)
    breaker.release(one, 'paused', 0)
    breaker.release(other, 'answered', 0)
    assert.equal(breaker.waitMs(0), 250)
  })

  it('stays closed when one fails after a probe has succeeded', () => {
    for (const result of ['paused', 'misconfigured', 'ambiguous'] as const) {
      const { breaker, acquire, call } = createBreaker()
      const late = acquire(10)
      call('paused', 0)
      call('answered', 250)
      // Only an answer that asks for a pause may make the breaker wait.
      const retryAfterMs = result === 'paused' ? undefined : 60_000
      for (const permit of late) breaker.release(permit, result, 300, retryAfterMs)
      assert.equal(breaker.waitMs(300), 0)
      assert.equal(breaker.limit(1_000, 300), 1_000)
    }
  })

  it('opens again if a late answer asks for a pause after a probe has succeeded', () => {
    const { breaker, acquire, call } = createBreaker()
    const [late] = acquire(1)
    assert(late)
    call('paused', 0)
    call('answered', 250)
    breaker.release(late, 'paused', 300, 60_000)
    assert.equal(breaker.waitMs(300), 60_000)
  })

  it('closes after a successful probe, even if an older call reports a wrong key meanwhile', () => {
    const { breaker, acquire, call } = createBreaker()
    const [late] = acquire(1)
    assert(late)
    call('paused', 0)
    const probe = breaker.acquire(250)
    breaker.release(late, 'misconfigured', 260)
    breaker.release(probe, 'answered', 270)
    assert.equal(breaker.waitMs(270), 0)
  })

  it('stays open after a successful probe if a late answer has asked for a longer wait', () => {
    const { breaker, acquire, call } = createBreaker()
    const [late] = acquire(1)
    assert(late)
    call('paused', 0)
    const probe = breaker.acquire(250)
    breaker.release(late, 'paused', 260, 60_000)
    breaker.release(probe, 'answered', 270)
    assert.equal(breaker.waitMs(270), 59_990)
    call('answered', 60_260)
    assert.equal(breaker.waitMs(60_260), 0)
  })
})

describe('the circuit breaker, for other processes with the same key', () => {
  it('is paused as long as the network asks for', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0, 30_000)
    assert.equal(breaker.pausedForMs(10_000), 20_000)
    assert.equal(breaker.pausedForMs(30_000), 0)
  })

  it('is paused for a minute when the key is wrong, or a gateway refuses everything', () => {
    for (const result of ['misconfigured', 'suspect'] as const) {
      const { breaker, call } = createBreaker()
      call(result, 0)
      assert.equal(breaker.pausedForMs(0), 60_000)
    }
  })

  it('is not paused by a gateway that refuses one call among others', () => {
    const { breaker, call } = createBreaker()
    for (const result of ['answered', 'suspect'] as const) call(result, 0)
    assert.equal(breaker.pausedForMs(0), 0)
  })

  it('is not paused by failed calls, even after a pause', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 5; n += 1) call('refused', 0)
    assert.equal(breaker.isOpen, true)
    assert.equal(breaker.pausedForMs(0), 0)
    call('paused', 10_000, 30_000)
    call('refused', 40_000)
    assert.equal(breaker.isOpen, true)
    assert.equal(breaker.pausedForMs(40_000), 0)
  })

  it('is paused if a late answer asks for it, whatever opened the breaker', () => {
    for (const result of ['paused', 'misconfigured'] as const) {
      const { breaker, acquire } = createBreaker()
      const calls = acquire(6)
      for (const permit of calls.slice(1)) breaker.release(permit, 'refused', 0)
      assert.equal(breaker.pausedForMs(0), 0)
      for (const permit of calls.slice(0, 1)) breaker.release(permit, result, 0, 30_000)
      assert.equal(breaker.pausedForMs(0), result === 'paused' ? 30_000 : 60_000)
    }
  })

  it('stays paused when a call from before the pause succeeds, until a probe does', () => {
    const { breaker, call, acquire } = createBreaker()
    const [first, second] = acquire(2)
    assert(first && second)
    breaker.release(first, 'paused', 0, 30_000)
    breaker.release(second, 'answered', 0)
    assert.equal(breaker.pausedForMs(0), 30_000)
    call('answered', 30_000)
    assert.equal(breaker.pausedForMs(30_000), 0)
  })
})

describe('the circuit breaker, for ambiguous calls', () => {
  it('stays closed after a single one among successes', () => {
    const { breaker, acquire } = createBreaker()
    const [one, other] = acquire(2)
    assert(one && other)
    breaker.release(one, 'ambiguous', 0)
    breaker.release(other, 'answered', 0)
    assert.equal(breaker.waitMs(0), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
  })

  it('stays closed while one call in three is ambiguous', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 300; n += 1) call(n % 3 === 0 ? 'ambiguous' : 'answered', n)
    assert.equal(breaker.waitMs(300), 0)
  })

  it('allows one impression at a time after one, until any call is answered', () => {
    const { breaker, acquire } = createBreaker()
    const [one, other] = acquire(2)
    assert(one && other)
    breaker.release(one, 'ambiguous', 0)
    assert.equal(breaker.waitMs(0), 0)
    assert.equal(breaker.limit(1_000, 0), 1)
    const probe = breaker.acquire(0)
    assert.equal(breaker.waitMs(0), Number.POSITIVE_INFINITY)
    breaker.release(other, 'answered', 0)
    assert.equal(breaker.waitMs(0), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
    breaker.release(probe, 'answered', 0)
    assert.equal(breaker.waitMs(0), 0)
  })

  it('does not wait for a probe that hangs after another call was answered', () => {
    const { breaker, call, acquire } = createBreaker()
    const [other, another] = acquire(2)
    assert(other && another)
    call('ambiguous', 0)
    const probe = breaker.acquire(0)
    breaker.release(other, 'answered', 0)
    breaker.release(another, 'ambiguous', 0)
    assert.equal(breaker.waitMs(0), 0, 'an older probe blocks other calls')
    breaker.release(probe, 'ambiguous', 10_000)
    assert.equal(breaker.waitMs(10_000), 0)
  })

  it('opens after five in a row', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 4; n += 1) call('ambiguous', 0)
    assert.equal(breaker.waitMs(0), 0)
    call('ambiguous', 0)
    assert.equal(breaker.waitMs(0), 250)
    assert.equal(breaker.limit(1_000, 0), 1)
  })

  it('opens when most of the last twenty calls were ambiguous', () => {
    const { breaker, call } = createBreaker()
    const isAmbiguous = (n: number) => n % 2 === 0 || n % 5 === 3
    let calls = 0
    while (breaker.waitMs(0) === 0 && calls < 100) {
      call(isAmbiguous(calls) ? 'ambiguous' : 'answered', 0)
      calls += 1
    }
    assert(calls >= 20 && calls < 25, `it opened after ${calls} calls`)
  })

  it('allows one more impression after all connections hang, and then one per probe', () => {
    const { breaker, acquire } = createBreaker()
    let sent = 0
    const hung = acquire(128)
    for (const permit of hung) {
      breaker.release(permit, 'ambiguous', 10_000)
      // Every call that is allowed is sent, and hangs as well.
      while (breaker.waitMs(10_000) === 0) {
        assert.equal(breaker.limit(1_000, 0), 1)
        breaker.acquire(0)
        sent += 1
      }
    }
    assert.equal(sent, 1)
    assert.equal(breaker.waitMs(10_000), 250)
  })

  it('opens again after one ambiguous probe', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 5; n += 1) call('ambiguous', 0)
    call('ambiguous', 250)
    assert.equal(breaker.waitMs(250), 500)
  })

  it('forgets earlier ones after a probe has succeeded', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 5; n += 1) call('ambiguous', 0)
    call('answered', 250)
    for (let n = 0; n < 4; n += 1) call('ambiguous', 250)
    assert.equal(breaker.waitMs(250), 0)
  })
})

describe('the circuit breaker, for a silent network', () => {
  it('allows one impression at a time when calls are unanswered for more than a second', () => {
    const { breaker } = createBreaker()
    breaker.acquire(0)
    assert.equal(breaker.limit(1_000, 1_000), 1_000)
    assert.equal(breaker.limit(1_000, 1_001), 1)
    assert.equal(breaker.waitMs(1_001), 0)
    breaker.acquire(1_001)
    assert.equal(breaker.waitMs(1_001), Number.POSITIVE_INFINITY)
  })

  it('is no longer cautious after any answer', () => {
    for (const result of ['answered', 'paused'] as const) {
      const { breaker, acquire } = createBreaker()
      const [one] = acquire(2)
      assert(one)
      breaker.acquire(2_000)
      breaker.release(one, result, 3_000)
      const waitMs = breaker.waitMs(3_000)
      assert.equal(waitMs, result === 'answered' ? 0 : 250)
      if (result === 'answered') assert.equal(breaker.limit(1_000, 3_000), 1_000)
    }
  })

  it('does not treat a network without calls as silent', () => {
    const { breaker, call } = createBreaker()
    call('answered', 0)
    assert.equal(breaker.limit(1_000, 3_600_000), 1_000)
  })

  it('allows full batches while one call hangs and the others are answered', () => {
    const { breaker, call } = createBreaker()
    breaker.acquire(0)
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      assert.equal(breaker.limit(1_000, nowMs), 1_000)
      call('answered', nowMs)
    }
  })
})
