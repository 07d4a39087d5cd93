import assert from 'node:assert/strict'
import { MemoryOutbox } from '../../../lib/delivery/outbox/memory-outbox.js'
import { createImpressionFactory } from '../impressions.js'
import { AsyncOutbox } from './async-outbox.js'
import { outboxContract } from './outbox-contract.js'

outboxContract('MemoryOutbox', (options) => new MemoryOutbox(options))
outboxContract('AsyncOutbox', (options) => new AsyncOutbox(options))

describe('MemoryOutbox', () => {
  const SMALL = 1_000
  const LARGE = 100_000

  /** Nanoseconds per impression to fill and empty an outbox: the fastest run, to exclude noise. */
  function measureCost(pending: number, batchKeys: number, maxBatch: number): number {
    const createImpression = createImpressionFactory()
    const all = Array.from({ length: pending }, (_, n) =>
      createImpression({ batchKey: `${n % batchKeys}` }),
    )
    let best = Number.POSITIVE_INFINITY
    for (let run = 0; run < 7; run += 1) {
      const outbox = new MemoryOutbox({ maxPending: pending, maxBatch })
      const started = process.hrtime.bigint()
      for (const impression of all) outbox.append(impression)
      for (let claim = outbox.claim(maxBatch); claim; claim = outbox.claim(maxBatch)) {
        outbox.settle(claim, claim.impressions)
      }
      best = Math.min(best, Number(process.hrtime.bigint() - started) / pending)
      assert.equal(outbox.waiting, 0)
    }
    return best
  }

  for (const [description, keysPerImpression, maxBatch] of [
    ['one batch key, one impression per call', 0, 1],
    ['one batch key, 1,000 impressions per call', 0, 1_000],
    ['a batch key for each impression', 1, 1_000],
    ['a batch key for every ten impressions', 0.1, 3],
  ] as const) {
    it(`costs the same per impression with 100,000 pending as with 1,000: ${description}`, () => {
      const cost = (pending: number) =>
        measureCost(pending, Math.max(1, pending * keysPerImpression), maxBatch)
      const ratio = cost(LARGE) / cost(SMALL)
      // A cost that is linear in the pending impressions would give a ratio of 100.
      assert(ratio < 50, `it costs ${ratio.toFixed(1)} times as much`)
    })
  }

  it('costs the same with 100,000 pending as with 1,000 while one is added for each one claimed', () => {
    const impression = createImpressionFactory()
    const cost = (pending: number) => {
      const outbox = new MemoryOutbox({ maxPending: pending + 1, maxBatch: 1 })
      for (let n = 0; n < pending; n += 1) outbox.append(impression())
      let best = Number.POSITIVE_INFINITY
      for (let run = 0; run < 5; run += 1) {
        const started = process.hrtime.bigint()
        for (let n = 0; n < 50_000; n += 1) {
          outbox.append(impression())
          const claim = outbox.claim(1)
          assert(claim)
          outbox.settle(claim, claim.impressions)
        }
        best = Math.min(best, Number(process.hrtime.bigint() - started))
      }
      return best
    }
    const ratio = cost(LARGE) / cost(SMALL)
    assert(ratio < 50, `it costs ${ratio.toFixed(1)} times as much`)
  })

  it('returns values instead of promises', () => {
    const outbox = new MemoryOutbox({ maxPending: 1, maxBatch: 1 })
    assert.equal(outbox.append(createImpressionFactory()()), 'accepted')
    const claim = outbox.claim(1)
    assert(claim)
    assert.equal(outbox.release(claim, claim.impressions), undefined)
    assert.equal(outbox.expire(1).length, 1)
  })
})
