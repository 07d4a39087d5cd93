import assert from 'node:assert/strict'
import {
  parseImpression,
  serializeImpression,
} from '../../../lib/delivery/outbox/stored-impression.js'
import { createImpression, type ImpressionDetails } from '../../../lib/impression.js'
import { VirtualClock } from '../virtual-clock.js'

const HOUR_MS = 3_600_000

function createSample(clock: VirtualClock, more: Partial<ImpressionDetails> = {}) {
  const details = { campaignId: 42, placement: 'header', item: { query: 'röd "skor"' }, ...more }
  return createImpression('acme', 'page-1', details, clock.now())
}

describe('an impression in a store', () => {
  it('is the same when it is read', () => {
    const clock = new VirtualClock()
    const impression = createSample(clock, { batchKey: 'shoes', offerId: 'o-1' })
    impression.attempts = 2
    const payload = serializeImpression(impression, clock)
    assert(payload)
    assert.deepEqual(parseImpression(payload, 'acme', clock), impression)
  })

  it('keeps its age in a process with another monotonic clock', () => {
    const writer = new VirtualClock()
    const reader = new VirtualClock(writer.now() + HOUR_MS)
    const impression = createSample(writer)
    writer.advance(5_000)
    reader.advance(5_000)
    reader.setWallClock(-HOUR_MS)
    const read = parseImpression(serializeImpression(impression, writer) ?? '', 'acme', reader)
    assert.equal(reader.now() - read.trackedAtMs, 5_000)
  })

  it('is never from the future, although the clocks of two machines differ', () => {
    const clock = new VirtualClock()
    const payload = serializeImpression(createSample(clock), clock)
    clock.setWallClock(-HOUR_MS)
    assert.equal(parseImpression(payload ?? '', 'acme', clock).trackedAtMs, clock.now())
  })

  it('still may have counted', () => {
    const clock = new VirtualClock()
    const impression = createSample(clock)
    impression.isMaybeCounted = true
    const read = parseImpression(serializeImpression(impression, clock) ?? '', 'acme', clock)
    assert.equal(read.isMaybeCounted, true)
  })

  it('cannot be written if JSON cannot represent its item', () => {
    const clock = new VirtualClock()
    assert.equal(serializeImpression(createSample(clock, { item: 1n }), clock), undefined)
  })

  for (const payload of ['', '{', 'null', '{}', '{"requestId":1,"trackedAtMs":1}']) {
    it(`cannot be read from ${JSON.stringify(payload)}`, () => {
      assert.throws(() => parseImpression(payload, 'acme', new VirtualClock()))
    })
  }
})
