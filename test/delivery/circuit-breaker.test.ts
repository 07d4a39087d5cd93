import assert from 'node:assert/strict'
import { type CallResult, CircuitBreaker } from '../../lib/delivery/circuit-breaker.js'

const HALF = () => 0.5

/** A breaker, and the hand that lets calls through it. */
function createBreaker(random: () => number = HALF) {
  const breaker = new CircuitBreaker(random)
  const call = (result: CallResult, nowMs: number, retryAfterMs?: number) => {
    assert.equal(breaker.waitMs(nowMs), 0, 'the breaker lets a call through')
    breaker.release(breaker.acquire(nowMs), result, nowMs, retryAfterMs)
  }
  const enter = (count: number) => Array.from({ length: count }, () => breaker.acquire(0))
  return { breaker, call, enter }
}

describe('the breaker', () => {
  it('lets everything through while calls are answered', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 100; n += 1) call('answered', n)
    assert.equal(breaker.waitMs(100), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
  })

  it('waits anything from nothing to the bound, which doubles up to a minute', () => {
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

  it('starts over with the shortest wait after a success', () => {
    const { breaker, call } = createBreaker()
    for (const nowMs of [0, 10_000, 20_000]) call('paused', nowMs)
    call('answered', 30_000)
    call('paused', 30_000)
    assert.equal(breaker.waitMs(30_000), 250)
  })

  it('opens no sooner than the network says, and no sooner than its backoff', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0, 2_000)
    assert.equal(breaker.waitMs(0), 2_000)
    call('paused', 2_000, 1)
    assert.equal(breaker.waitMs(2_000), 500)
  })

  it('sends one probe, and nothing else until that has ended', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0)
    const probe = breaker.acquire(0)
    assert.equal(probe.isProbe, true)
    assert.equal(breaker.waitMs(1_000_000), Number.POSITIVE_INFINITY)
    breaker.release(probe, 'paused', 1_000)
    assert.equal(breaker.waitMs(1_000), 500)
  })

  it('lets the others follow once the probe has succeeded', () => {
    const { breaker, call } = createBreaker()
    call('paused', 0)
    call('answered', 250)
    assert.equal(breaker.waitMs(250), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
    assert.equal(breaker.acquire(0).isProbe, false)
  })

  it('risks one impression a probe, whatever closed it', () => {
    for (const result of ['paused', 'misconfigured'] as const) {
      const { breaker, call } = createBreaker()
      call(result, 0)
      assert.equal(breaker.limit(1_000, 0), 1)
    }
  })

  it('sends another probe at once where one could not even be sent', () => {
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

describe('the breaker, of calls under way when it closes', () => {
  it('counts the first alone as a failure', () => {
    const { breaker, enter } = createBreaker()
    for (const permit of enter(128)) breaker.release(permit, 'paused', 0)
    assert.equal(breaker.waitMs(0), 250)
    breaker.release(breaker.acquire(0), 'paused', 250)
    assert.equal(breaker.waitMs(250), 500, 'the second failure, not the 129th')
  })

  it('keeps its jitter: it does not wait for the longest of many random times', () => {
    let asked = 0
    const { breaker, enter } = createBreaker(() => {
      asked += 1
      return asked === 1 ? 0.1 : 0.99
    })
    for (const permit of enter(128)) breaker.release(permit, 'paused', 0)
    assert.equal(breaker.waitMs(0), 50)
    assert.equal(asked, 1)
  })

  it('waits as long as any of them is told to', () => {
    const { breaker, enter } = createBreaker()
    const [one, other, third] = enter(3)
    assert(one && other && third)
    breaker.release(one, 'paused', 0)
    breaker.release(other, 'paused', 0, 5_000)
    assert.equal(breaker.waitMs(0), 5_000)
    breaker.release(third, 'misconfigured', 0)
    assert.equal(breaker.waitMs(0), 60_000)
  })

  it('does not open by the success of one', () => {
    const { breaker, enter } = createBreaker()
    const [one, other] = enter(2)
    assert(one && other)
    breaker.release(one, 'paused', 0)
    breaker.release(other, 'answered', 0)
    assert.equal(breaker.waitMs(0), 250)
  })

  it('does not close again by one that fails late, after a probe has succeeded', () => {
    for (const result of ['paused', 'misconfigured', 'ambiguous'] as const) {
      const { breaker, enter, call } = createBreaker()
      const late = enter(10)
      call('paused', 0)
      call('answered', 250)
      // Only who refuses the call itself may ask for time.
      const retryAfterMs = result === 'paused' ? undefined : 60_000
      for (const permit of late) breaker.release(permit, result, 300, retryAfterMs)
      assert.equal(breaker.waitMs(300), 0)
      assert.equal(breaker.limit(1_000, 300), 1_000)
    }
  })

  it('waits for as long as one asks that fails late, after a probe has succeeded', () => {
    const { breaker, enter, call } = createBreaker()
    const [late] = enter(1)
    assert(late)
    call('paused', 0)
    call('answered', 250)
    breaker.release(late, 'paused', 300, 60_000)
    assert.equal(breaker.waitMs(300), 60_000)
  })

  it('opens by a probe though one that left earlier with a wrong key fails meanwhile', () => {
    const { breaker, enter, call } = createBreaker()
    const [late] = enter(1)
    assert(late)
    call('paused', 0)
    const probe = breaker.acquire(250)
    breaker.release(late, 'misconfigured', 260)
    breaker.release(probe, 'answered', 270)
    assert.equal(breaker.waitMs(270), 0)
  })

  it('waits for as long as one asks that fails while a probe succeeds', () => {
    const { breaker, enter, call } = createBreaker()
    const [late] = enter(1)
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

describe('the breaker, of ambiguous calls', () => {
  it('stays open after a lone one among successes', () => {
    const { breaker, enter } = createBreaker()
    const [one, other] = enter(2)
    assert(one && other)
    breaker.release(one, 'ambiguous', 0)
    breaker.release(other, 'answered', 0)
    assert.equal(breaker.waitMs(0), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
  })

  it('stays open while one call in three is ambiguous', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 300; n += 1) call(n % 3 === 0 ? 'ambiguous' : 'answered', n)
    assert.equal(breaker.waitMs(300), 0)
  })

  it('is wary after one: a single impression leaves, until any call is answered', () => {
    const { breaker, enter } = createBreaker()
    const [one, other] = enter(2)
    assert(one && other)
    breaker.release(one, 'ambiguous', 0)
    assert.equal(breaker.waitMs(0), 0)
    assert.equal(breaker.limit(1_000, 0), 1)
    const trial = breaker.acquire(0)
    assert.equal(breaker.waitMs(0), Number.POSITIVE_INFINITY)
    breaker.release(other, 'answered', 0)
    assert.equal(breaker.waitMs(0), 0)
    assert.equal(breaker.limit(1_000, 0), 1_000)
    breaker.release(trial, 'answered', 0)
    assert.equal(breaker.waitMs(0), 0)
  })

  it('does not wait for a trial that hangs, once another call was answered', () => {
    const { breaker, call, enter } = createBreaker()
    const [other, another] = enter(2)
    assert(other && another)
    call('ambiguous', 0)
    const trial = breaker.acquire(0)
    breaker.release(other, 'answered', 0)
    breaker.release(another, 'ambiguous', 0)
    assert.equal(breaker.waitMs(0), 0, 'the trial of an earlier doubt holds up nothing')
    breaker.release(trial, 'ambiguous', 10_000)
    assert.equal(breaker.waitMs(10_000), 0)
  })

  it('closes after five in a row', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 4; n += 1) call('ambiguous', 0)
    assert.equal(breaker.waitMs(0), 0)
    call('ambiguous', 0)
    assert.equal(breaker.waitMs(0), 250)
    assert.equal(breaker.limit(1_000, 0), 1)
  })

  it('closes when most of the last twenty were', () => {
    const { breaker, call } = createBreaker()
    const isAmbiguous = (n: number) => n % 2 === 0 || n % 5 === 3
    let calls = 0
    while (breaker.waitMs(0) === 0 && calls < 100) {
      call(isAmbiguous(calls) ? 'ambiguous' : 'answered', 0)
      calls += 1
    }
    assert(calls >= 20 && calls < 25, `it closed after ${calls}`)
  })

  it('costs a hang of all connections one impression more, and then one a probe', () => {
    const { breaker, enter } = createBreaker()
    let sent = 0
    const hung = enter(128)
    for (const permit of hung) {
      breaker.release(permit, 'ambiguous', 10_000)
      // All that may leave does, and hangs as well.
      while (breaker.waitMs(10_000) === 0) {
        assert.equal(breaker.limit(1_000, 0), 1)
        breaker.acquire(0)
        sent += 1
      }
    }
    assert.equal(sent, 1)
    assert.equal(breaker.waitMs(10_000), 250)
  })

  it('closes again by one ambiguous probe', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 5; n += 1) call('ambiguous', 0)
    call('ambiguous', 250)
    assert.equal(breaker.waitMs(250), 500)
  })

  it('forgets them once a probe has succeeded', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 5; n += 1) call('ambiguous', 0)
    call('answered', 250)
    for (let n = 0; n < 4; n += 1) call('ambiguous', 250)
    assert.equal(breaker.waitMs(250), 0)
  })
})

describe('the breaker, of a silent network', () => {
  it('lets one impression leave at a time, a second after the network was last heard of', () => {
    const { breaker } = createBreaker()
    breaker.acquire(0)
    assert.equal(breaker.limit(1_000, 1_000), 1_000)
    assert.equal(breaker.limit(1_000, 1_001), 1)
    assert.equal(breaker.waitMs(1_001), 0)
    breaker.acquire(1_001)
    assert.equal(breaker.waitMs(1_001), Number.POSITIVE_INFINITY)
  })

  it('opens again as soon as it hears anything', () => {
    for (const result of ['answered', 'paused'] as const) {
      const { breaker, enter } = createBreaker()
      const [one] = enter(2)
      assert(one)
      breaker.acquire(2_000)
      breaker.release(one, result, 3_000)
      const waitMs = breaker.waitMs(3_000)
      assert.equal(waitMs, result === 'answered' ? 0 : 250)
      if (result === 'answered') assert.equal(breaker.limit(1_000, 3_000), 1_000)
    }
  })

  it('is not silent while nothing is asked of it', () => {
    const { breaker, call } = createBreaker()
    call('answered', 0)
    assert.equal(breaker.limit(1_000, 3_600_000), 1_000)
  })

  it('holds up nothing for one call that hangs among many that are answered', () => {
    const { breaker, call } = createBreaker()
    breaker.acquire(0)
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      assert.equal(breaker.limit(1_000, nowMs), 1_000)
      call('answered', nowMs)
    }
  })
})
