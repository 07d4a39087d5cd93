import assert from 'node:assert/strict'
import { backoffMs, jitteredBackoffMs } from '../../lib/delivery/backoff.js'

describe('backoffMs()', () => {
  it('doubles from half a second to a minute', () => {
    const waits = [1, 2, 3, 7, 8, 1_000_000].map(backoffMs)
    assert.deepEqual(waits, [500, 1_000, 2_000, 32_000, 60_000, 60_000])
  })
})

describe('jitteredBackoffMs()', () => {
  it('spreads over the whole backoff', () => {
    const waits = [0, 0.5, 0.75].map((random) => jitteredBackoffMs(2, () => random))
    assert.deepEqual(waits, [0, 500, 750])
  })
})
