import assert from 'node:assert/strict'
import { createDelivery, range } from './delivery-fixture.js'
import { connectionError, ok, status } from './scripted-transport.js'

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

  it('sends impressions that are pushed together in one batch if the network accepts batches', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 3 } })
    push(4)
    clock.advance(100)
    assert.deepEqual(transport.sent, [[1, 2, 3], [4]])
    assert.deepEqual(ended('delivered'), [1, 2, 3, 4])
  })

  it('never puts impressions with different batch keys into one call', () => {
    const { push, clock, transport } = createDelivery({ network: { maxBatch: 3 } })
    push(1, { batchKey: 'a' })
    push(1, { batchKey: 'b' })
    push(1, { batchKey: 'a' })
    clock.advance(100)
    assert.deepEqual(transport.sent, [[1, 3], [2]])
  })

  it('has no more calls in flight than connections', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { connections: 3 } })
    push(20)
    clock.advance(1_000)
    assert.equal(transport.maxInFlight, 3)
    assert.deepEqual(ended('delivered'), range(1, 20))
  })

  it('reports each outcome with the number of attempts and the time since tracking', () => {
    const { push, clock, transport, outcomes } = createDelivery()
    transport.script = () => (transport.calls.length === 1 ? status(500) : ok)
    push()
    clock.advance(10_000)
    const [event] = outcomes
    assert(event)
    assert.equal(event.attempts, 2)
    assert.equal(event.latencyMs, 10 + 250 + 10)
    assert.equal(event.reason, 'http-200: the network accepted it (docs/reasons.md#http-status)')
  })

  it('redacts the secrets of the request in reasons and in the log', () => {
    const { push, clock, transport, outcomes, logged } = createDelivery({
      network: {
        verdict: (answer) => ({ kind: 'rejected', reason: `bad key secret ${answer.status}` }),
      },
    })
    transport.script = () => status(400)
    push()
    clock.advance(100)
    assert.equal(
      outcomes[0]?.reason,
      'http-400: bad key [redacted] 400 (docs/reasons.md#http-status)',
    )
    assert(logged.length > 0)
    assert(!logged.some(({ message }) => message.includes('secret')))
  })
})

describe('delivery, after an answer with a count', () => {
  const networkThatCounts = (count: number) => ({
    network: {
      maxBatch: 3,
      verdict: () => ({ kind: 'delivered' as const, reason: 'well done', count }),
    },
  })

  it('rejects the shortfall and never sends it again', () => {
    const { push, clock, transport, reasons } = createDelivery(networkThatCounts(2))
    push(3)
    clock.advance(HOUR_MS)
    assert.equal(transport.calls.length, 1)
    assert.deepEqual(reasons(), [
      'delivered: http-200',
      'delivered: http-200',
      'rejected: count-short',
    ])
  })

  it('rejects the whole batch if none of it was counted', () => {
    const { push, clock, ended } = createDelivery(networkThatCounts(0))
    push(3)
    clock.advance(100)
    assert.deepEqual(ended('rejected'), [1, 2, 3])
  })

  it('ignores a count that is higher than what was sent', () => {
    const { push, clock, ended } = createDelivery(networkThatCounts(5))
    push(3)
    clock.advance(100)
    assert.deepEqual(ended('delivered'), [1, 2, 3])
  })
})

describe('delivery, after a call that may have counted', () => {
  it('never sends the batch again', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 3 } })
    transport.script = () => connectionError(true)
    push(3)
    clock.advance(HOUR_MS)
    assert.equal(transport.calls.length, 1)
    assert.deepEqual(ended('uncertain'), [1, 2, 3])
  })

  it('sends the batch again if onUncertain is "resend"', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { onUncertain: 'resend' } })
    transport.script = () => (transport.calls.length <= 3 ? connectionError(true) : ok)
    push()
    clock.advance(60_000)
    assert.equal(transport.calls.length, 4)
    assert.deepEqual(ended('delivered'), [1])
  })

  it('concludes uncertain, not rejected, if the network refuses the second attempt', () => {
    const { push, clock, transport, reasons, messages } = createDelivery({
      network: { onUncertain: 'resend' },
    })
    transport.script = () => (transport.calls.length === 1 ? connectionError(true) : status(400))
    push()
    clock.advance(20_000)
    assert.deepEqual(reasons(), ['uncertain: sent-before'])
    assert.deepEqual(messages(/rejected/), [])
  })

  it('concludes uncertain, not dropped, if the impression expires before the second attempt', () => {
    const { push, clock, transport, reasons } = createDelivery({
      network: { onUncertain: 'resend' },
      maxAgeMs: 10_000,
    })
    transport.script = () =>
      transport.calls.length === 1 ? connectionError(true) : connectionError(false, 'ECONNREFUSED')
    push()
    clock.advance(20_000)
    assert.deepEqual(reasons(), ['uncertain: sent-before'])
  })
})
