import assert from 'node:assert/strict'
import { SendingRate } from '../../../lib/delivery/rate-limit/sending-rate.js'

const HOUR_MS = 3_600_000

describe('SendingRate', () => {
  it('is zero before the first impression', () => {
    assert.equal(new SendingRate().perMs(0), 0)
  })

  it('is the mean since the first impression', () => {
    const rate = new SendingRate()
    rate.add(100, 0)
    rate.add(200, 5_000)
    assert.equal(rate.perMs(10_000), 300 / 10_000)
  })

  it('does not measure a span shorter than a second', () => {
    const rate = new SendingRate()
    rate.add(10, 0)
    assert.equal(rate.perMs(1), 10 / 1_000)
  })

  it('is the mean of the last hours when they are busier than the day', () => {
    const rate = new SendingRate()
    rate.add(1, 0)
    rate.add(1_000, 9 * HOUR_MS)
    rate.add(1_000, 10 * HOUR_MS)
    assert.equal(rate.perMs(11 * HOUR_MS), 2_000 / (2 * HOUR_MS))
  })

  it('is the mean of the day when the last hours are quieter', () => {
    const rate = new SendingRate()
    rate.add(10_000, 0)
    rate.add(1, 9 * HOUR_MS)
    rate.add(1, 10 * HOUR_MS)
    assert.equal(rate.perMs(11 * HOUR_MS), 10_002 / (11 * HOUR_MS))
  })

  it('forgets impressions older than a day', () => {
    const rate = new SendingRate()
    rate.add(1_000_000, 0)
    for (let hour = 1; hour <= 24; hour += 1) rate.add(1, hour * HOUR_MS)
    assert.equal(rate.perMs(25 * HOUR_MS), 24 / (24 * HOUR_MS))
  })
})
