// Tests lib/delivery/call-result.ts

import assert from 'node:assert/strict'
import { type CallResult, CircuitBreaker } from '../../lib/delivery/circuit-breaker.js'
import { createDelivery, range } from './delivery-fixture.js'
import { ok, type ScriptedCall, status } from './scripted-transport.js'

const HOUR_MS = 3_600_000

function createBreaker(longestWaitMs?: number) {
  const breaker = new CircuitBreaker(() => 0.5, longestWaitMs)
  const call = (result: CallResult, nowMs = 0, retryAfterMs?: number) => {
    assert.equal(breaker.waitMs(nowMs), 0, 'the breaker blocks a call')
    breaker.release(breaker.acquire(nowMs), result, nowMs, retryAfterMs)
  }
  return { breaker, call }
}

describe('a circuit breaker', () => {
  for (const result of ['refused', 'ambiguous'] as const) {
    it(`stays closed after a single ${result} call, and is cautious until the next answer`, () => {
      const { breaker, call } = createBreaker()
      call('answered')
      call(result)
      assert.equal(breaker.isOpen, false)
      assert.equal(breaker.limit(1_000, 0), 1)
      call('answered')
      assert.equal(breaker.limit(1_000, 0), 1_000)
    })

    it(`opens after the fifth ${result} call in a row`, () => {
      const { breaker, call } = createBreaker()
      for (let n = 0; n < 4; n += 1) call(result)
      assert.equal(breaker.isOpen, false)
      call(result)
      assert.equal(breaker.isOpen, true)
      assert.equal(breaker.waitMs(0), 250)
    })

    it(`opens when more than half of the recent calls are ${result}`, () => {
      const { breaker, call } = createBreaker()
      for (let n = 0; n < 20 && !breaker.isOpen; n += 1) call(n % 3 === 0 ? 'answered' : result)
      assert.equal(breaker.isOpen, true)
    })

    it(`stays closed while one call in ten is ${result}`, () => {
      const { breaker, call } = createBreaker()
      for (let n = 0; n < 1_000; n += 1) call(n % 10 === 7 ? result : 'answered')
      assert.equal(breaker.isOpen, false)
    })
  }

  it('opens at once when the network asks for a pause', () => {
    const { breaker, call } = createBreaker()
    call('answered')
    call('paused', 0, 2_000)
    assert.equal(breaker.waitMs(0), 2_000)
  })

  it('waits no longer than its longest wait, whatever an answer asks for', () => {
    const { breaker, call } = createBreaker(HOUR_MS)
    call('paused', 0, 1_000_000_000_000)
    assert.equal(breaker.waitMs(0), HOUR_MS)
    assert.equal(breaker.blockedForMs(0), HOUR_MS)
  })

  it('treats a suspect call as a misconfiguration when it is the first call', () => {
    const { breaker, call } = createBreaker()
    call('suspect')
    assert.equal(breaker.waitMs(0), 60_000)
  })

  it('treats a suspect call as an exception after a success', () => {
    const { breaker, call } = createBreaker()
    for (let n = 0; n < 100; n += 1) {
      call('answered')
      call('suspect')
      call('suspect')
    }
    assert.equal(breaker.isOpen, false)
  })

  it('treats the third suspect call in a row as a misconfiguration', () => {
    const { breaker, call } = createBreaker()
    call('answered')
    for (let n = 0; n < 3; n += 1) call('suspect')
    assert.equal(breaker.waitMs(0), 60_000)
  })
})

describe('delivery, behind a firewall that blocks some impressions', () => {
  const isBlocked = (item: number) => item % 100 === 7
  const includesBlocked = ({ items }: ScriptedCall) => items.some(isBlocked)

  it('delivers all the others meanwhile, and finally rejects the blocked ones', () => {
    const { push, clock, transport, ended, reasons, figures } = createDelivery({
      network: { maxBatch: 10 },
    })
    transport.script = (call) => (includesBlocked(call) ? status(403, {}, '<html>No</html>') : ok)
    for (let page = 0; page < 720; page += 1) {
      push(10)
      clock.advance(1_000)
    }
    clock.advance(HOUR_MS / 2)
    const blocked = range(1, 7_200).filter(isBlocked)
    assert.equal(ended('delivered').length, 7_200 - blocked.length)
    assert.deepEqual(ended('rejected').sort(), [...blocked].sort())
    assert(reasons().includes('rejected: gateway-refused'))
    assert.equal(figures().pending, 0)
  })

  it('keeps everything and sends few calls while the firewall blocks all of them', () => {
    const { push, clock, transport, figures, logged } = createDelivery({
      network: { maxBatch: 10 },
    })
    push(10)
    clock.advance(1_000)
    transport.script = () => status(403, {}, '<html>No</html>')
    for (let page = 0; page < 60; page += 1) {
      push(1)
      clock.advance(10_000)
    }
    assert.equal(figures().delivered, 10)
    assert.equal(figures().pending, 60)
    assert(transport.calls.length < 30, `${transport.calls.length} calls in ten minutes`)
    assert(
      logged.some(({ level, message }) => level === 'error' && /refuses the key/.test(message)),
    )
    transport.script = () => ok
    clock.advance(61_000)
    assert.equal(figures().delivered, 70)
  })
})

describe('delivery, while some backends of the network fail', () => {
  for (const everyNth of [100, 20, 10]) {
    it(`delivers everything promptly if every ${everyNth}th call is answered 500`, () => {
      const { push, clock, transport, figures, outcomes } = createDelivery({
        network: { connections: 128 },
      })
      let calls = 0
      transport.script = () => {
        calls += 1
        return calls % everyNth === 0 ? status(500) : ok
      }
      for (let tick = 0; tick < 1_000; tick += 1) {
        push(15)
        clock.advance(10)
      }
      assert(figures().delivered > 0.97 * 15_000, `${figures().delivered} delivered in time`)
      clock.advance(30_000)
      assert.equal(figures().delivered, 15_000)
      assert(outcomes.every(({ latencyMs }) => latencyMs < 30_000))
    })
  }

  it('logs how long it waits before the next call', () => {
    const { push, clock, transport, messages } = createDelivery()
    transport.script = () => status(503, { 'retry-after': '1800' })
    push()
    clock.advance(1_000)
    assert.match(messages(/accepts no impressions/)[0] ?? '', /sent again in 1800 s/)
  })
})

describe('delivery, while a router has no route to the network', () => {
  for (const code of [404, 405, 302]) {
    it(`keeps everything after ${code}, probes soon, and then at least every minute`, () => {
      const { push, clock, transport, figures, ended } = createDelivery({
        network: { maxBatch: 10 },
      })
      transport.script = () => status(code, {}, 'page not found')
      push(10)
      clock.advance(5_000)
      assert(transport.calls.length > 2, 'it does not probe within seconds')
      clock.advance(10 * 60_000)
      assert(transport.calls.length < 40, `${transport.calls.length} calls in ten minutes`)
      assert.equal(figures().pending, 10)
      transport.script = () => ok
      clock.advance(60_000)
      assert.equal(ended('delivered').length, 10)
    })
  }
})
