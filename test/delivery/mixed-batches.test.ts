import assert from 'node:assert/strict'
import { MemoryOutbox } from '../../lib/delivery/outbox/memory-outbox.js'
import { closient } from '../../lib/networks/closient.js'
import { createDelivery, range } from './delivery-fixture.js'
import { createImpressionFactory } from './impressions.js'

const MINUTE_MS = 60_000
const CAMPAIGN = 'mhvXdrZT4jP5T8vBxuvm75'

describe('a mixed claim from the memory outbox', () => {
  it('takes impressions with different batch keys, first in, first out', () => {
    const outbox = new MemoryOutbox({ maxPending: 100, maxBatch: 10 })
    const impression = createImpressionFactory()
    for (const batchKey of ['a', 'b', 'a', 'c']) outbox.append(impression({ batchKey }))
    const claim = outbox.claim(3, true)
    assert.deepEqual(
      claim?.impressions.map(({ batchKey }) => batchKey),
      ['a', 'a', 'b'],
    )
    assert.equal(outbox.waiting, 1)
    assert.equal(outbox.claim(3, true)?.impressions.length, 1)
    assert.equal(outbox.claim(3, true), undefined)
  })

  it('leaves the rest of a batch key for the next claim', () => {
    const outbox = new MemoryOutbox({ maxPending: 100, maxBatch: 3 })
    const impression = createImpressionFactory()
    for (let n = 0; n < 7; n += 1) outbox.append(impression({ batchKey: 'a' }))
    assert.equal(outbox.claim(5, true)?.impressions.length, 5)
    assert.equal(outbox.claim(5)?.impressions.length, 2)
    assert.equal(outbox.waiting, 0)
  })
})

describe('closient().request, for a mixed batch', () => {
  const network = closient({ apiKey: 'csb_key' })
  const viewer = { country: undefined, device: undefined, searchQuery: undefined }
  const parse = (searchQuery: string) =>
    network.parse({ campaignId: CAMPAIGN, searchQuery }, viewer).item

  it('omits the search query if the impressions have different ones', () => {
    const body = JSON.parse(network.request([parse('oats'), parse('rye')]).body)
    assert.deepEqual(body, {
      impressions: [{ campaign_id: CAMPAIGN }, { campaign_id: CAMPAIGN }],
    })
  })

  it('keeps the search query if all impressions share it', () => {
    const body = JSON.parse(network.request([parse('oats'), parse('oats')]).body)
    assert.equal(body.search_query, 'oats')
  })
})

describe('delivery, with more batch keys than calls', () => {
  const windows = [{ limit: 10, windowMs: MINUTE_MS }]

  for (const mixesBatchKeys of [true, false]) {
    const title = mixesBatchKeys
      ? 'loses nothing if the network allows mixed batches'
      : 'loses some impressions if the network does not allow mixed batches'
    it(title, () => {
      const { push, clock, ended, figures } = createDelivery({
        maxAgeMs: 10 * MINUTE_MS,
        network: { maxBatch: 1_000, windows, mixesBatchKeys },
      })
      // One viewer sends a new search query every second; another one every ten seconds.
      for (let second = 0; second < 3_600; second += 1) {
        push(1, { batchKey: `made-up-${second}` })
        if (second % 10 === 0) push(1, { batchKey: `own-${second}` })
        clock.advance(1_000)
      }
      clock.advance(20 * MINUTE_MS)
      assert.equal(figures().pending, 0)
      if (mixesBatchKeys) assert.equal(ended('delivered').length, 3_960)
      else assert(ended('dropped').length > 1_000)
    })
  }

  it('keeps batch keys apart while there are enough calls', () => {
    const { push, clock, transport } = createDelivery({
      network: { maxBatch: 1_000, windows, mixesBatchKeys: true },
    })
    for (const batchKey of ['a', 'b', 'c']) push(2, { batchKey })
    clock.advance(20 * MINUTE_MS)
    assert.deepEqual(transport.sent, [range(1, 2), range(3, 4), range(5, 6)])
  })

  const wide = [{ limit: 100, windowMs: MINUTE_MS }]

  it('keeps batch keys apart in a flush with quota to spare', () => {
    const { delivery, push, clock, transport } = createDelivery({
      network: { maxBatch: 1_000, windows: wide, mixesBatchKeys: true },
    })
    delivery.suspendPacing()
    for (const batchKey of ['a', 'b', 'c']) push(2, { batchKey })
    clock.advance(1_000)
    assert.deepEqual(transport.sent, [range(1, 2), range(3, 4), range(5, 6)])
  })

  it('mixes batch keys in a flush once calls are spread', () => {
    const { delivery, push, clock, transport } = createDelivery({
      network: { maxBatch: 1_000, windows: wide, mixesBatchKeys: true },
    })
    for (let call = 0; call < 20; call += 1) {
      push(1)
      clock.advance(1_000)
    }
    const before = transport.sent.length
    for (let key = 0; key < 30; key += 1) push(1, { batchKey: `key ${key}` })
    delivery.suspendPacing()
    clock.advance(1_000)
    assert.equal(transport.sent.flat().length, 50)
    const calls = transport.sent.length - before
    assert.ok(calls <= 2, `${calls} calls`)
  })
})
