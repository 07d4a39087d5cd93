import assert from 'node:assert/strict'
import { SlidingWindow } from '../../../lib/delivery/rate-limit/sliding-window.js'

const QUOTA = { limit: 3, windowMs: 10_000 }

/** A window in which calls ended at these times. */
function windowWithCalls(...endsMs: number[]): SlidingWindow {
  const window = new SlidingWindow(QUOTA)
  for (const endMs of endsMs) window.onCallEnd(endMs)
  return window
}

describe('SlidingWindow', () => {
  it('counts ended calls and calls in flight', () => {
    assert.equal(windowWithCalls(0).remaining(1_000, 1), 1)
  })

  it('counts a call until one window length after its end', () => {
    const window = windowWithCalls(0, 2_000)
    assert.equal(window.remaining(9_999, 0), 1)
    assert.equal(window.remaining(10_000, 0), 2)
    assert.equal(window.remaining(12_000, 0), 3)
  })

  it('counts a call that may be in flight from its latest end, and what ends before that no shorter', () => {
    const window = new SlidingWindow(QUOTA)
    for (const endsMs of [5_000, 1_000, 2_000]) window.onCallEnd(endsMs)
    assert.equal(window.remaining(14_999, 0), 0)
    assert.equal(window.waitMs(12_500, 0), 2_500)
    assert.equal(window.remaining(15_000, 0), 3)
  })

  it('waits until the oldest call expires', () => {
    assert.equal(windowWithCalls(0, 2_000, 4_000).waitMs(5_000, 0), 5_000)
  })

  it('waits for as many calls to expire as a lowered limit requires', () => {
    const window = windowWithCalls(0, 2_000, 4_000)
    window.limit = 2
    assert.equal(window.remaining(5_000, 0), -1)
    assert.equal(window.waitMs(5_000, 0), 7_000)
  })

  it('waits indefinitely while calls in flight take up the whole limit', () => {
    assert.equal(windowWithCalls().waitMs(0, 3), Number.POSITIVE_INFINITY)
  })

  it('keeps its calls when the quota changes', () => {
    const window = windowWithCalls(0, 2_000).withQuota({ limit: 5, windowMs: 4_000 })
    assert.equal(window.remaining(3_000, 0), 3)
    assert.equal(window.remaining(4_000, 0), 4)
  })

  it('is short of quota for one window length after it was exhausted', () => {
    const window = windowWithCalls(0, 0, 0)
    assert.equal(window.isShort(1_000), false)
    window.waitMs(1_000, 0)
    assert.equal(window.isShort(10_999), true)
    assert.equal(window.isShort(11_000), false)
  })

  it('has no interval between calls with quota to spare', () => {
    const window = new SlidingWindow({ limit: 100, windowMs: 100_000 })
    for (let calls = 0; calls < 5; calls += 1) window.onCallEnd(0)
    assert.equal(window.intervalMs(0, 0, 1, 1), 0)
  })

  it('spreads the remaining calls over the window once quota is not to spare', () => {
    const window = new SlidingWindow({ limit: 100, windowMs: 100_000 })
    for (let calls = 0; calls < 50; calls += 1) window.onCallEnd(0)
    assert.equal(window.intervalMs(0, 0, 1, 1), 2_000)
  })

  it('subtracts the calls of other clients until the reset', () => {
    const window = new SlidingWindow({ limit: 100, windowMs: 100_000 })
    assert.equal(window.reportRemaining(50, 0, 0, 20_000), true)
    assert.equal(window.intervalMs(19_999, 0, 1, 1), 2_000)
    assert.equal(window.intervalMs(20_000, 0, 1, 1), 0)
  })

  it('reports no calls of other clients when more calls remain than it counts', () => {
    assert.equal(windowWithCalls(0).reportRemaining(3, 0, 0, 10_000), false)
  })

  it('leaves partial batches less of the window the more full batches need', () => {
    const window = new SlidingWindow({ limit: 100, windowMs: 100_000 })
    assert.equal(window.partialBatchShare(0), 1)
    assert.equal(window.partialBatchShare(0.75 / 1_000), 0.5)
    assert.equal(window.partialBatchShare(1 / 1_000), 0.01)
  })
})
