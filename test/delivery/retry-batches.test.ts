import assert from 'node:assert/strict'
import { type Batch, RetryBatches } from '../../lib/delivery/retry-batches.js'
import { createImpressionFactory } from './impressions.js'
import { VirtualClock } from './virtual-clock.js'

/** A batch whose impressions were tracked at these times. */
function batchTrackedAt(...timesMs: number[]): Batch {
  const createImpression = createImpressionFactory()
  const impressions = timesMs.map((trackedAtMs) => createImpression({ trackedAtMs }))
  return { claim: { impressions }, impressions }
}

function trackingTimes(batch: Batch | undefined): number[] | undefined {
  return batch?.impressions.map(({ trackedAtMs }) => trackedAtMs)
}

describe('RetryBatches', () => {
  it('takes the first half of a split batch before the second', () => {
    const batches = new RetryBatches()
    batches.halve(batchTrackedAt(1, 2, 3))
    assert.deepEqual(trackingTimes(batches.take(10)), [1])
    assert.deepEqual(trackingTimes(batches.take(10)), [2, 3])
    assert.equal(batches.isReady, false)
    assert.equal(batches.take(10), undefined)
  })

  it('keeps a batch of one impression whole', () => {
    const batches = new RetryBatches()
    batches.halve(batchTrackedAt(1))
    assert.deepEqual(trackingTimes(batches.take(10)), [1])
    assert.equal(batches.isReady, false)
  })

  it('keeps the rest of a batch that is larger than the limit', () => {
    const batches = new RetryBatches()
    batches.halve(batchTrackedAt(1, 2, 3, 4, 5, 6))
    assert.deepEqual(trackingTimes(batches.take(2)), [1, 2])
    assert.deepEqual(trackingTimes(batches.take(2)), [3])
  })

  it('returns a delayed batch after its delay, behind the halves of split batches', () => {
    const batches = new RetryBatches()
    const clock = new VirtualClock()
    let readyCount = 0
    batches.delay(batchTrackedAt(9), 500, clock, () => {
      readyCount += 1
    })
    batches.halve(batchTrackedAt(1, 2))
    clock.advance(499)
    assert.equal(readyCount, 0)
    clock.advance(1)
    assert.equal(readyCount, 1)
    const order = [1, 2, 3].map(() => trackingTimes(batches.take(10)))
    assert.deepEqual(order, [[1], [2], [9]])
  })

  it('expires only the impressions that were tracked before the limit', () => {
    const batches = new RetryBatches()
    batches.halve(batchTrackedAt(1, 5, 2, 6))
    assert.deepEqual(batches.expire(5).flatMap(trackingTimes).sort(), [1, 2])
    assert.deepEqual(trackingTimes(batches.take(10)), [5])
    assert.deepEqual(trackingTimes(batches.take(10)), [6])
  })

  it('never returns a delayed batch that has expired', () => {
    const batches = new RetryBatches()
    const clock = new VirtualClock()
    batches.delay(batchTrackedAt(1, 2), 500, clock, () => assert.fail('the batch has expired'))
    assert.deepEqual(batches.expire(5).map(trackingTimes), [[1, 2]])
    clock.advance(1_000)
    assert.equal(batches.isReady, false)
  })

  it('returns the rest of a delayed batch that has expired in part', () => {
    const batches = new RetryBatches()
    const clock = new VirtualClock()
    batches.delay(batchTrackedAt(1, 9), 500, clock, () => {})
    assert.deepEqual(batches.expire(5).map(trackingTimes), [[1]])
    clock.advance(1_000)
    assert.deepEqual(trackingTimes(batches.take(10)), [9])
  })
})
