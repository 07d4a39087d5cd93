import assert from 'node:assert/strict'
import { type CallResult, CircuitBreaker } from '../../lib/delivery/circuit-breaker.js'

const HALF = () => 0.5

/** A gate, and the hand that lets calls through it. */
function gateAt(random: () => number = HALF) {
  const gate = new CircuitBreaker(random)
  const call = (result: CallResult, nowMs: number, retryAfterMs?: number) => {
    assert.equal(gate.waitMs(nowMs), 0, 'the gate lets a call through')
    gate.release(gate.acquire(nowMs), result, nowMs, retryAfterMs)
  }
  const enter = (count: number) => Array.from({ length: count }, () => gate.acquire(0))
  return { gate, call, enter }
}

describe('the gate', () => {
  it('lets everything through while calls are answered', () => {
    const { gate, call } = gateAt()
    for (let n = 0; n < 100; n += 1) call('answered', n)
    assert.equal(gate.waitMs(100), 0)
    assert.equal(gate.limit(1_000, 0), 1_000)
  })

  it('waits anything from nothing to the bound, which doubles up to a minute', () => {
    for (const share of [0, 0.25, 0.999]) {
      const { gate, call } = gateAt(() => share)
      let nowMs = 0
      for (const boundMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
        call('refused', nowMs)
        assert.equal(gate.waitMs(nowMs), share * boundMs)
        nowMs += gate.waitMs(nowMs)
      }
    }
  })

  it('starts over with the shortest wait after a success', () => {
    const { gate, call } = gateAt()
    for (const nowMs of [0, 10_000, 20_000]) call('refused', nowMs)
    call('answered', 30_000)
    call('refused', 30_000)
    assert.equal(gate.waitMs(30_000), 250)
  })

  it('opens no sooner than the network says, and no sooner than its backoff', () => {
    const { gate, call } = gateAt()
    call('refused', 0, 2_000)
    assert.equal(gate.waitMs(0), 2_000)
    call('refused', 2_000, 1)
    assert.equal(gate.waitMs(2_000), 500)
  })

  it('sends one probe, and nothing else until that has ended', () => {
    const { gate, call } = gateAt()
    call('refused', 0)
    const probe = gate.acquire(0)
    assert.equal(probe.probe, true)
    assert.equal(gate.waitMs(1_000_000), Number.POSITIVE_INFINITY)
    gate.release(probe, 'refused', 1_000)
    assert.equal(gate.waitMs(1_000), 500)
  })

  it('lets the others follow once the probe has succeeded', () => {
    const { gate, call } = gateAt()
    call('refused', 0)
    call('answered', 250)
    assert.equal(gate.waitMs(250), 0)
    assert.equal(gate.limit(1_000, 0), 1_000)
    assert.equal(gate.acquire(0).probe, false)
  })

  it('risks one impression a probe, whatever closed it', () => {
    for (const result of ['refused', 'misconfigured'] as const) {
      const { gate, call } = gateAt()
      call(result, 0)
      assert.equal(gate.limit(1_000, 0), 1)
    }
  })

  it('sends another probe at once where one could not even be sent', () => {
    const { gate, call } = gateAt()
    call('refused', 0)
    call('unsent', 250)
    assert.equal(gate.waitMs(250), 0)
    assert.equal(gate.limit(1_000, 0), 1)
  })

  it('waits no longer when the clock is set back, be it closed or open then', () => {
    const { gate, call } = gateAt()
    const hourMs = 3_600_000
    call('refused', hourMs)
    assert.equal(gate.waitMs(0), 250)
    call('answered', 250)
    call('refused', 300)
    assert.equal(gate.waitMs(300), 250)
  })

  it('probes once a minute at most while the key is wrong', () => {
    const { gate, call } = gateAt(() => 0)
    call('misconfigured', 0)
    assert.equal(gate.waitMs(0), 60_000)
    call('misconfigured', 60_000)
    assert.equal(gate.waitMs(60_000), 60_000)
  })
})

describe('the gate, of calls under way when it closes', () => {
  it('counts the first alone as a failure', () => {
    const { gate, enter } = gateAt()
    for (const pass of enter(128)) gate.release(pass, 'refused', 0)
    assert.equal(gate.waitMs(0), 250)
    gate.release(gate.acquire(0), 'refused', 250)
    assert.equal(gate.waitMs(250), 500, 'the second failure, not the 129th')
  })

  it('keeps its jitter: it does not wait for the longest of many random times', () => {
    let asked = 0
    const { gate, enter } = gateAt(() => {
      asked += 1
      return asked === 1 ? 0.1 : 0.99
    })
    for (const pass of enter(128)) gate.release(pass, 'refused', 0)
    assert.equal(gate.waitMs(0), 50)
    assert.equal(asked, 1)
  })

  it('waits as long as any of them is told to', () => {
    const { gate, enter } = gateAt()
    const [one, other, third] = enter(3)
    assert(one && other && third)
    gate.release(one, 'refused', 0)
    gate.release(other, 'refused', 0, 5_000)
    assert.equal(gate.waitMs(0), 5_000)
    gate.release(third, 'misconfigured', 0)
    assert.equal(gate.waitMs(0), 60_000)
  })

  it('does not open by the success of one', () => {
    const { gate, enter } = gateAt()
    const [one, other] = enter(2)
    assert(one && other)
    gate.release(one, 'refused', 0)
    gate.release(other, 'answered', 0)
    assert.equal(gate.waitMs(0), 250)
  })

  it('does not close again by one that fails late, after a probe has succeeded', () => {
    for (const result of ['refused', 'misconfigured', 'ambiguous'] as const) {
      const { gate, enter, call } = gateAt()
      const late = enter(10)
      call('refused', 0)
      call('answered', 250)
      // Only who refuses the call itself may ask for time.
      const retryAfterMs = result === 'refused' ? undefined : 60_000
      for (const pass of late) gate.release(pass, result, 300, retryAfterMs)
      assert.equal(gate.waitMs(300), 0)
      assert.equal(gate.limit(1_000, 300), 1_000)
    }
  })

  it('waits for as long as one asks that fails late, after a probe has succeeded', () => {
    const { gate, enter, call } = gateAt()
    const [late] = enter(1)
    assert(late)
    call('refused', 0)
    call('answered', 250)
    gate.release(late, 'refused', 300, 60_000)
    assert.equal(gate.waitMs(300), 60_000)
  })

  it('opens by a probe though one that left earlier with a wrong key fails meanwhile', () => {
    const { gate, enter, call } = gateAt()
    const [late] = enter(1)
    assert(late)
    call('refused', 0)
    const probe = gate.acquire(250)
    gate.release(late, 'misconfigured', 260)
    gate.release(probe, 'answered', 270)
    assert.equal(gate.waitMs(270), 0)
  })

  it('waits for as long as one asks that fails while a probe succeeds', () => {
    const { gate, enter, call } = gateAt()
    const [late] = enter(1)
    assert(late)
    call('refused', 0)
    const probe = gate.acquire(250)
    gate.release(late, 'refused', 260, 60_000)
    gate.release(probe, 'answered', 270)
    assert.equal(gate.waitMs(270), 59_990)
    call('answered', 60_260)
    assert.equal(gate.waitMs(60_260), 0)
  })
})

describe('the gate, of ambiguous calls', () => {
  it('stays open after a lone one among successes', () => {
    const { gate, enter } = gateAt()
    const [one, other] = enter(2)
    assert(one && other)
    gate.release(one, 'ambiguous', 0)
    gate.release(other, 'answered', 0)
    assert.equal(gate.waitMs(0), 0)
    assert.equal(gate.limit(1_000, 0), 1_000)
  })

  it('stays open while one call in three is ambiguous', () => {
    const { gate, call } = gateAt()
    for (let n = 0; n < 300; n += 1) call(n % 3 === 0 ? 'ambiguous' : 'answered', n)
    assert.equal(gate.waitMs(300), 0)
  })

  it('is wary after one: a single impression leaves, until any call is answered', () => {
    const { gate, enter } = gateAt()
    const [one, other] = enter(2)
    assert(one && other)
    gate.release(one, 'ambiguous', 0)
    assert.equal(gate.waitMs(0), 0)
    assert.equal(gate.limit(1_000, 0), 1)
    const trial = gate.acquire(0)
    assert.equal(gate.waitMs(0), Number.POSITIVE_INFINITY)
    gate.release(other, 'answered', 0)
    assert.equal(gate.waitMs(0), 0)
    assert.equal(gate.limit(1_000, 0), 1_000)
    gate.release(trial, 'answered', 0)
    assert.equal(gate.waitMs(0), 0)
  })

  it('does not wait for a trial that hangs, once another call was answered', () => {
    const { gate, call, enter } = gateAt()
    const [other, another] = enter(2)
    assert(other && another)
    call('ambiguous', 0)
    const trial = gate.acquire(0)
    gate.release(other, 'answered', 0)
    gate.release(another, 'ambiguous', 0)
    assert.equal(gate.waitMs(0), 0, 'the trial of an earlier doubt holds up nothing')
    gate.release(trial, 'ambiguous', 10_000)
    assert.equal(gate.waitMs(10_000), 0)
  })

  it('closes after five in a row', () => {
    const { gate, call } = gateAt()
    for (let n = 0; n < 4; n += 1) call('ambiguous', 0)
    assert.equal(gate.waitMs(0), 0)
    call('ambiguous', 0)
    assert.equal(gate.waitMs(0), 250)
    assert.equal(gate.limit(1_000, 0), 1)
  })

  it('closes when most of the last twenty were', () => {
    const { gate, call } = gateAt()
    const isAmbiguous = (n: number) => n % 2 === 0 || n % 5 === 3
    let calls = 0
    while (gate.waitMs(0) === 0 && calls < 100) {
      call(isAmbiguous(calls) ? 'ambiguous' : 'answered', 0)
      calls += 1
    }
    assert(calls >= 20 && calls < 25, `it closed after ${calls}`)
  })

  it('costs a hang of all connections one impression more, and then one a probe', () => {
    const { gate, enter } = gateAt()
    let sent = 0
    const hung = enter(128)
    for (const pass of hung) {
      gate.release(pass, 'ambiguous', 10_000)
      // All that may leave does, and hangs as well.
      while (gate.waitMs(10_000) === 0) {
        assert.equal(gate.limit(1_000, 0), 1)
        gate.acquire(0)
        sent += 1
      }
    }
    assert.equal(sent, 1)
    assert.equal(gate.waitMs(10_000), 250)
  })

  it('closes again by one ambiguous probe', () => {
    const { gate, call } = gateAt()
    for (let n = 0; n < 5; n += 1) call('ambiguous', 0)
    call('ambiguous', 250)
    assert.equal(gate.waitMs(250), 500)
  })

  it('forgets them once a probe has succeeded', () => {
    const { gate, call } = gateAt()
    for (let n = 0; n < 5; n += 1) call('ambiguous', 0)
    call('answered', 250)
    for (let n = 0; n < 4; n += 1) call('ambiguous', 250)
    assert.equal(gate.waitMs(250), 0)
  })
})

describe('the gate, of a silent network', () => {
  it('lets one impression leave at a time, a second after the network was last heard of', () => {
    const { gate } = gateAt()
    gate.acquire(0)
    assert.equal(gate.limit(1_000, 1_000), 1_000)
    assert.equal(gate.limit(1_000, 1_001), 1)
    assert.equal(gate.waitMs(1_001), 0)
    gate.acquire(1_001)
    assert.equal(gate.waitMs(1_001), Number.POSITIVE_INFINITY)
  })

  it('opens again as soon as it hears anything', () => {
    for (const result of ['answered', 'refused'] as const) {
      const { gate, enter } = gateAt()
      const [one] = enter(2)
      assert(one)
      gate.acquire(2_000)
      gate.release(one, result, 3_000)
      const waitMs = gate.waitMs(3_000)
      assert.equal(waitMs, result === 'answered' ? 0 : 250)
      if (result === 'answered') assert.equal(gate.limit(1_000, 3_000), 1_000)
    }
  })

  it('is not silent while nothing is asked of it', () => {
    const { gate, call } = gateAt()
    call('answered', 0)
    assert.equal(gate.limit(1_000, 3_600_000), 1_000)
  })

  it('holds up nothing for one call that hangs among many that are answered', () => {
    const { gate, call } = gateAt()
    gate.acquire(0)
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      assert.equal(gate.limit(1_000, nowMs), 1_000)
      call('answered', nowMs)
    }
  })
})
