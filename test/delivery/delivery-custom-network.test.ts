import assert from 'node:assert/strict'
import { verdictOnStatus } from '../../lib/networks/verdict.js'
import { createDelivery } from './delivery-fixture.js'
import { connectionError, ok, status } from './scripted-transport.js'

describe('delivery, for a custom network', () => {
  it('rejects only the item for which request() throws, and never sends it', () => {
    const { push, clock, transport, ended, outcomes } = createDelivery({
      network: {
        maxBatch: 8,
        request: (items) => {
          if (items.includes(5)) throw new Error('a bad header: Bearer canary')
          return { method: 'POST', path: '/', headers: {}, body: JSON.stringify(items) }
        },
      },
    })
    push(8)
    clock.advance(1_000)
    assert.deepEqual(ended('rejected'), [5])
    const reason = 'it threw, and its message is withheld: it may quote the key'
    const rejected = outcomes.find(({ outcome }) => outcome === 'rejected')
    assert.ok(rejected?.reason.startsWith(`unsendable: request() failed: ${reason}`))
    assert.equal(ended('delivered').length, 7)
    assert(!transport.sent.flat().includes(5))
  })

  it('rejects an impression for which request() returns no valid request', () => {
    for (const request of [
      undefined,
      null,
      'GET /',
      {},
      { method: 'POST', path: '/', headers: { a: 1 }, body: '' },
    ]) {
      const { push, clock, ended } = createDelivery({
        network: { request: () => request as never },
      })
      push()
      clock.advance(100)
      assert.deepEqual(ended('rejected'), [1])
    }
  })

  it('rejects only the item with an invalid HTTP request, without opening the circuit breaker', () => {
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 4 } })
    transport.script = ({ items }) =>
      items.includes(2) ? connectionError(false, 'UND_ERR_INVALID_ARG') : ok
    push(4)
    clock.advance(1_000)
    assert.deepEqual(ended('rejected'), [2])
    assert.equal(ended('delivered').length, 3)
  })

  it('uses the status if verdict() throws or returns no verdict', () => {
    const invalidVerdicts = [
      () => {
        throw new Error('unexpected')
      },
      () => undefined,
      () => 'delivered',
      () => ({ kind: 'accepted', reason: '' }),
    ]
    for (const verdict of invalidVerdicts) {
      const { push, clock, transport, ended, messages } = createDelivery({
        network: { verdict: verdict as never },
      })
      transport.script = ({ items }) => (items.includes(1) ? status(400) : ok)
      push(2)
      clock.advance(1_000)
      assert.deepEqual(ended('rejected'), [1])
      assert.deepEqual(ended('delivered'), [2])
      assert.equal(messages(/verdict\(\) (threw|returned no verdict)/).length, 1)
    }
  })

  it('ignores invalid numbers in a verdict', () => {
    for (const figure of [Number.NaN, -1, '5', Number.POSITIVE_INFINITY, null]) {
      const { push, clock, transport, ended } = createDelivery({
        network: {
          verdict: (answer) =>
            ({
              ...verdictOnStatus(answer, undefined),
              count: figure,
              retryAfterMs: figure,
            }) as never,
        },
      })
      transport.script = () => (transport.calls.length === 1 ? status(500) : ok)
      push()
      clock.advance(60_000)
      assert.deepEqual(ended('delivered'), [1])
    }
  })
})
