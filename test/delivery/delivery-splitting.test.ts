import assert from 'node:assert/strict'
import { createDelivery, range } from './delivery-fixture.js'
import { ok, type ScriptedCall, status } from './scripted-transport.js'

describe('delivery, of a batch that is refused for one bad item', () => {
  /** Answers each call that carries a bad item with this status. */
  const refuse =
    (code: number, ...bad: number[]) =>
    ({ items }: ScriptedCall) =>
      items.some((item) => bad.includes(item)) ? status(code) : ok

  for (const code of [413, 422]) {
    it(`rejects only that item after a ${code}`, () => {
      const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 8 } })
      transport.script = refuse(code, 6)
      push(8)
      clock.advance(1_000)
      assert.deepEqual(ended('rejected'), [6])
      assert.deepEqual(ended('delivered').length, 7)
      const expected = [range(1, 8), range(1, 4), range(5, 8), [5, 6], [7, 8], [5], [6]]
      assert.deepEqual(new Set(transport.sent.map(String)), new Set(expected.map(String)))
      assert.equal(transport.calls.length, expected.length)
    })
  }

  it('finds all bad items, even if the whole batch is bad', () => {
    for (const bad of [[1, 2], [3, 9, 10], range(1, 10)]) {
      const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 10 } })
      transport.script = refuse(422, ...bad)
      push(10)
      clock.advance(1_000)
      assert.deepEqual(new Set(ended('rejected')), new Set(bad))
      assert.equal(ended('delivered').length, 10 - bad.length)
    }
  })

  it('counts the extra calls against the quota', () => {
    const windows = [{ limit: 4, windowMs: 60_000 }]
    const { push, clock, transport, ended } = createDelivery({ network: { maxBatch: 8, windows } })
    transport.script = refuse(422, 1)
    push(8)
    clock.advance(59_000)
    assert.equal(transport.calls.length, 4)
    clock.advance(120_000)
    assert.equal(transport.calls.length, 7)
    assert.deepEqual(ended('rejected'), [1])
    for (const { atMs } of transport.calls) {
      const inWindow = transport.calls.filter(
        (call) => call.atMs >= atMs && call.atMs < atMs + 60_000,
      )
      assert(inWindow.length <= 4)
    }
  })

  it('sends the halves before newer impressions', () => {
    const { push, clock, transport } = createDelivery({ network: { maxBatch: 2, connections: 1 } })
    transport.script = refuse(422, 1)
    push(4)
    clock.advance(1_000)
    assert.deepEqual(transport.sent, [[1, 2], [1], [2], [3, 4]])
  })

  it('drops the halves when they expire while the circuit breaker is open', () => {
    const { push, clock, transport, ended, figures } = createDelivery({
      network: { maxBatch: 2 },
      maxAgeMs: 1_000,
    })
    transport.script = () =>
      transport.calls.length === 1 ? status(422) : status(503, { 'retry-after': '60' })
    push(2)
    clock.advance(1_200)
    assert.deepEqual(ended('dropped').sort(), [1, 2])
    assert.equal(figures().pending, 0)
  })
})
