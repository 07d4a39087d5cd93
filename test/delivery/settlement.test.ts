import assert from 'node:assert/strict'
import type { Verdict } from '../../lib/networks/verdict.js'
import { createDelivery } from './delivery-fixture.js'

/** Pushes two impressions whose calls all get this verdict. */
function settle(verdict: Verdict) {
  const fixture = createDelivery({ network: { maxBatch: 2, verdict: () => verdict } })
  fixture.push(2)
  fixture.clock.advance(100)
  return fixture
}

describe('Settlement', () => {
  for (const kind of ['delivered', 'rejected', 'uncertain'] as const) {
    it(`ends the whole batch as ${kind} in one call`, () => {
      const { ended, transport } = settle({ kind, reason: 'test' })
      assert.deepEqual(ended(kind), [1, 2])
      assert.deepEqual(transport.sent, [[1, 2]])
    })
  }

  it('halves a split batch, and rejects an item that is refused alone', () => {
    const { ended, transport } = settle({ kind: 'split', reason: 'test' })
    assert.deepEqual(ended('rejected'), [1, 2])
    assert.deepEqual(transport.sent, [[1, 2], [1], [2]])
  })

  for (const kind of ['retry', 'suspect', 'misconfigured'] as const) {
    it(`keeps the batch pending after ${kind}`, () => {
      const { outcomes, figures } = settle({ kind, reason: 'test' })
      assert.deepEqual(outcomes, [])
      assert.equal(figures().pending, 2)
    })
  }
})
