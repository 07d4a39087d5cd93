import assert from 'node:assert/strict'
import { ProcessEstimate } from '../../../lib/delivery/rate-limit/process-estimate.js'
import { SlidingWindow } from '../../../lib/delivery/rate-limit/sliding-window.js'

const MINUTE = { limit: 300, windowMs: 60_000 }
const DAY = { limit: 10_000, windowMs: 86_400_000 }
const HOUR_MS = 3_600_000

const createEstimate = (known = 1) => new ProcessEstimate([MINUTE, DAY], known)

/** Calls at this interval; each answer shows what others have called in the minute before. */
function callAtIntervals(estimate: ProcessEstimate, intervalMs: number, othersPerMinute: number) {
  for (let call = 0; call < 50; call += 1) {
    estimate.onCall(call * intervalMs)
    estimate.onAnswer(othersPerMinute, 60_000)
  }
}

describe('ProcessEstimate: the number of processes', () => {
  it('is 1 while nobody else calls', () => {
    const estimate = createEstimate()
    assert.equal(estimate.count, 1)
    callAtIntervals(estimate, 1_000, 0)
    assert.equal(estimate.count, 1)
  })

  for (const intervalMs of [10_000, 60_000, 600_000]) {
    it(`grows with the calls of others for each of our own: one every ${intervalMs} ms`, () => {
      const estimate = createEstimate()
      callAtIntervals(estimate, intervalMs, (15 * 60_000) / intervalMs)
      assert.ok(estimate.count > 8 && estimate.count < 16, `${estimate.count}`)
    })
  }

  it('is high after a first answer that shows other calls, since our own pace is not known', () => {
    const estimate = createEstimate()
    estimate.onCall(0)
    estimate.onAnswer(3, 60_000)
    assert.ok(estimate.count > 5, `${estimate.count}`)
  })

  it('falls when the others stop', () => {
    const estimate = createEstimate()
    callAtIntervals(estimate, 10_000, 90)
    callAtIntervals(estimate, 10_000, 0)
    assert.ok(estimate.count < 1.01, `${estimate.count}`)
  })

  it('is at least the known one', () => {
    assert.equal(createEstimate(40).count, 40)
  })

  it('has a limit, so that no header silences a process', () => {
    const estimate = createEstimate()
    estimate.onCall(0)
    estimate.onAnswer(1e12, -1e12)
    assert.equal(estimate.count, 32)
  })
})

describe('ProcessEstimate: what is assumed of a window', () => {
  it('is nothing while answers do not report any window', () => {
    assert.deepEqual(createEstimate().assume(new SlidingWindow(DAY), 0), {
      spareShare: 1,
      others: 0,
    })
  })

  it('is nothing of a window that answers report', () => {
    const estimate = createEstimate()
    const day = new SlidingWindow(DAY)
    estimate.onCall(0)
    estimate.onAnswer(5, 60_000)
    day.reportRemaining(5_000, 0, 0, HOUR_MS)
    assert.deepEqual(estimate.assume(day, 0), { spareShare: 1, others: 0 })
  })

  it('is the present rate of others, since an hour before the first call', () => {
    const estimate = createEstimate()
    const day = new SlidingWindow(DAY)
    estimate.onCall(0)
    estimate.onAnswer(5, 60_000)
    assert.deepEqual(estimate.assume(day, 0), { spareShare: 1 / 24, others: 300 })
    assert.deepEqual(estimate.assume(day, 11 * HOUR_MS), { spareShare: 1 / 2, others: 3_600 })
    assert.deepEqual(estimate.assume(day, 50 * HOUR_MS), { spareShare: 1, others: 7_200 })
  })

  it('leaves each of the known processes its part of what is to spare', () => {
    assert.equal(createEstimate(4).assume(new SlidingWindow(DAY), 0).spareShare, 0.25)
  })
})
