import assert from 'node:assert/strict'
import { createDelivery, range } from './delivery-fixture.js'
import { connectionError, ok, status } from './scripted-transport.js'

describe('delivery, during an outage of the network', () => {
  it('sends nothing while the circuit breaker is open, even if more impressions arrive', () => {
    const { push, clock, transport } = createDelivery()
    transport.script = () => status(429, { 'retry-after': '2' })
    push()
    clock.advance(10)
    for (let n = 0; n < 19; n += 1) {
      push(10)
      clock.advance(100)
    }
    assert.equal(transport.calls.length, 1)
  })

  it('sends one probe first, and the rest after the probe has succeeded', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 10 } })
    transport.script = () => (transport.calls.length === 1 ? status(429) : ok)
    push(10)
    const sizes = () => transport.sent.map(({ length }) => length)
    clock.advance(259)
    push(10)
    assert.deepEqual(sizes(), [10])
    clock.advance(10)
    assert.deepEqual(sizes(), [10, 1])
    clock.advance(1)
    assert.deepEqual(sizes(), [10, 1, 10, 9])
    clock.advance(10)
    assert.equal(ended('delivered').length, 20)
  })

  it('keeps everything while the key is wrong, and logs an error', () => {
    const { push, clock, transport, figures, logged } = createDelivery()
    transport.script = () => status(401)
    push(100)
    clock.advance(10 * 60_000 + 500)
    assert.equal(figures().pending, 100)
    assert(transport.calls.length - 100 <= 11, 'more than one probe per minute')
    const errors = logged.filter(({ level }) => level === 'error')
    assert.match(errors[0]?.message ?? '', /acme refuses the key or the base URL \(http-401: .+\)/)
    transport.script = () => ok
    clock.advance(61_000)
    assert.equal(figures().delivered, 100)
  })

  it('is not blocked by an impression that always makes the network fail', () => {
    const { push, clock, transport, outcomes, figures } = createDelivery()
    transport.script = ({ items }) => (items.includes(1) ? status(500) : ok)
    push(1)
    for (let second = 0; second < 600; second += 1) {
      push(2)
      clock.advance(1_000)
    }
    clock.advance(2_000)
    assert.equal(figures().delivered, 1_200)
    assert.equal(figures().pending, 1)
    // At first, the failures look like an outage.
    const latencies = outcomes.map(({ latencyMs }) => latencyMs)
    assert(Math.max(...latencies) < 5_000)
    assert(Math.max(...latencies.slice(20)) < 1_000)
    const attempts = transport.sent.filter((items) => items.includes(1)).length
    assert(attempts < 30, `${attempts} attempts in ten minutes`)
  })

  it('isolates the impression of a batch that always makes the network fail', () => {
    const { push, clock, transport, ended, figures } = createDelivery({
      network: { maxBatch: 1_000, windows: [{ limit: 300, windowMs: 60_000 }] },
    })
    transport.script = ({ items }) => (items.includes(500) ? status(500) : ok)
    push(998)
    for (let second = 0; second < 120; second += 1) {
      push(3)
      clock.advance(1_000)
    }
    clock.advance(60_000)
    assert.equal(figures().pending, 1)
    assert.equal(ended('delivered').length, 998 + 360 - 1)
    assert(transport.calls.filter(({ items }) => items.includes(500)).length < 40)
  })

  it('drops and counts what has waited too long, and logs how many once a minute', () => {
    const { push, clock, transport, ended, messages } = createDelivery({ maxAgeMs: 10_000 })
    transport.script = () => connectionError(false, 'ECONNREFUSED')
    push(50)
    clock.advance(12_000)
    assert.equal(ended('dropped').length, 50)
    assert.equal(messages(/impression dropped without being sent: expired/).length, 1)
    clock.advance(60_000)
    assert.match(
      messages(/dropped without being sent: expired/)[1] ?? '',
      /49 (more )?of this kind/,
    )
  })

  it('drops and counts what exceeds maxPending, and logs how many once a minute', () => {
    const { push, clock, transport, ended, figures, messages } = createDelivery({ maxPending: 10 })
    transport.script = () => undefined
    push(25)
    assert.deepEqual(ended('dropped'), range(11, 25))
    assert.equal(figures().pending, 10)
    clock.advance(60_000)
    const [first, second] = messages(/impression dropped without being sent: overflow/)
    assert(first)
    assert.match(second ?? '', /14 (more )?of this kind/)
  })

  it('waits correctly for longer than the longest Node timer', () => {
    const maxAgeMs = 40 * 86_400_000
    const { push, clock, transport, ended } = createDelivery({ maxAgeMs })
    const seconds = `${31 * 86_400}`
    transport.script = () =>
      transport.calls.length === 1 ? status(503, { 'retry-after': seconds }) : ok
    push()
    clock.advance(31 * 86_400_000)
    assert.equal(transport.calls.length, 1)
    clock.advance(100)
    assert.deepEqual(ended('delivered'), [1])
  })
})
