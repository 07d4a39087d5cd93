import assert from 'node:assert/strict'
import { createDelivery, range } from './delivery-fixture.js'
import { lost, ok, status } from './scripted-transport.js'

const HOUR_MS = 3_600_000

describe('delivery', () => {
  it('sends each impression once', () => {
    const { push, clock, transport, ended, figures } = createDelivery()
    push(3)
    clock.advance(100)
    assert.deepEqual(transport.sent, [[1], [2], [3]])
    assert.deepEqual(ended('delivered'), [1, 2, 3])
    assert.equal(figures().pending, 0)
  })

  it('sends impressions pushed together in one call if the network accepts batches', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 3 } })
    push(4)
    clock.advance(100)
    assert.deepEqual(transport.sent, [[1, 2, 3], [4]])
    assert.deepEqual(ended('delivered'), [1, 2, 3, 4])
  })

  it('never sends impressions with different batch keys in one call', () => {
    const { push, clock, transport } = createDelivery({ network: { maxBatch: 3 } })
    push(1, { batchKey: 'a' })
    push(1, { batchKey: 'b' })
    push(1, { batchKey: 'a' })
    clock.advance(100)
    assert.deepEqual(transport.sent, [[1, 3], [2]])
  })

  it('has at most one call in flight per connection', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { connections: 3 } })
    push(20)
    clock.advance(1_000)
    assert.equal(transport.maxInFlight, 3)
    assert.deepEqual(ended('delivered'), range(1, 20))
  })

  it('reports each outcome with its number of calls and the time since tracking', () => {
    const { push, clock, transport, outcomes } = createDelivery()
    transport.script = () => (transport.calls.length === 1 ? status(500) : ok)
    push()
    clock.advance(10_000)
    const [event] = outcomes
    assert(event)
    assert.equal(event.attempts, 2)
    assert.equal(event.latencyMs, 10 + 250 + 10)
    assert.equal(event.reason, 'HTTP 200')
  })

  it('never includes a secret of the request in a reason or in the log', () => {
    const { push, clock, transport, reasons, logged } = createDelivery({
      network: {
        verdict: (answer) => ({ kind: 'rejected', reason: `bad key secret ${answer.status}` }),
      },
    })
    transport.script = () => status(400)
    push()
    clock.advance(100)
    assert.deepEqual(reasons(), ['rejected: bad key [redacted] 400'])
    assert(logged.length > 0)
    assert(!logged.some(({ message }) => message.includes('secret')))
  })
})

describe('delivery, when the answer has a count', () => {
  const counting = (count: number) => ({
    network: {
      maxBatch: 3,
      verdict: () => ({ kind: 'delivered' as const, reason: 'HTTP 200', count }),
    },
  })

  it('rejects the impressions that were not counted, and never sends them again', () => {
    const { push, clock, transport, reasons } = createDelivery(counting(2))
    push(3)
    clock.advance(HOUR_MS)
    assert.equal(transport.calls.length, 1)
    assert.deepEqual(reasons(), [
      'delivered: HTTP 200',
      'delivered: HTTP 200',
      'rejected: the network counted 2 of the 3 sent',
    ])
  })

  it('rejects the whole batch when none was counted', () => {
    const { push, clock, ended } = createDelivery(counting(0))
    push(3)
    clock.advance(100)
    assert.deepEqual(ended('rejected'), [1, 2, 3])
  })

  it('ignores a count that is higher than the number sent', () => {
    const { push, clock, ended } = createDelivery(counting(5))
    push(3)
    clock.advance(100)
    assert.deepEqual(ended('delivered'), [1, 2, 3])
  })
})

describe('delivery, of impressions that may have counted', () => {
  it('never sends them again', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 3 } })
    transport.script = () => lost(true)
    push(3)
    clock.advance(HOUR_MS)
    assert.equal(transport.calls.length, 1)
    assert.deepEqual(ended('uncertain'), [1, 2, 3])
  })

  it('sends them again when the network is configured to resend', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { onUncertain: 'resend' } })
    transport.script = () => (transport.calls.length <= 3 ? lost(true) : ok)
    push()
    clock.advance(60_000)
    assert.equal(transport.calls.length, 4)
    assert.deepEqual(ended('delivered'), [1])
  })

  it('does not report them as rejected when only the second call is refused', () => {
    const { push, clock, transport, reasons, messages } = createDelivery({
      network: { onUncertain: 'resend' },
    })
    transport.script = () => (transport.calls.length === 1 ? lost(true) : status(400))
    push()
    clock.advance(20_000)
    assert.deepEqual(reasons(), ['uncertain: sent before, and then refused: HTTP 400'])
    assert.deepEqual(messages(/rejected/), [])
  })

  it('does not report them as dropped when they expire before the second call', () => {
    const { push, clock, transport, reasons } = createDelivery({
      network: { onUncertain: 'resend' },
      maxAgeMs: 10_000,
    })
    transport.script = () =>
      transport.calls.length === 1 ? lost(true) : lost(false, 'ECONNREFUSED')
    push()
    clock.advance(20_000)
    assert.deepEqual(reasons(), ['uncertain: sent before, and not again: expired'])
  })
})
