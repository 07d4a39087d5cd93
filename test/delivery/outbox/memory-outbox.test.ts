import assert from 'node:assert/strict'
import { MemoryOutbox } from '../../../lib/delivery/outbox/memory-outbox.js'
import { impressionFactory } from '../impressions.js'
import { AsyncOutbox } from './async-outbox.js'
import { outboxContract } from './outbox-contract.js'

outboxContract('memory', (options) => new MemoryOutbox(options))
outboxContract('one elsewhere', (options) => new AsyncOutbox(options))

describe('the memory outbox', () => {
  const SMALL = 1_000
  const LARGE = 100_000

  /** Nanoseconds an impression to fill and empty an outbox; the best of a few, for the rest is noise. */
  function costOf(pending: number, batchKeys: number, maxBatch: number): number {
    const impression = impressionFactory()
    const all = Array.from({ length: pending }, (_, n) =>
      impression({ batchKey: `${n % batchKeys}` }),
    )
    let best = Number.POSITIVE_INFINITY
    for (let run = 0; run < 7; run += 1) {
      const outbox = new MemoryOutbox({ maxPending: pending, maxBatch })
      const started = process.hrtime.bigint()
      for (const one of all) outbox.append(one)
      for (let claim = outbox.claim(maxBatch); claim; claim = outbox.claim(maxBatch)) {
        outbox.settle(claim, claim.impressions)
      }
      best = Math.min(best, Number(process.hrtime.bigint() - started) / pending)
      assert.equal(outbox.waiting, 0)
    }
    return best
  }

  for (const [says, keysPer, maxBatch] of [
    ['one batch key and calls of one', 0, 1],
    ['one batch key and calls of a thousand', 0, 1_000],
    ['a batch key for every impression', 1, 1_000],
    ['a batch key for every ten', 0.1, 3],
  ] as const) {
    it(`costs as much an impression with 100,000 pending as with 1,000: ${says}`, () => {
      const cost = (pending: number) => costOf(pending, Math.max(1, pending * keysPer), maxBatch)
      const ratio = cost(LARGE) / cost(SMALL)
      // Were it linear in what is pending, it would be 100.
      assert(ratio < 50, `it costs ${ratio.toFixed(1)} times as much`)
    })
  }

  it('keeps that cost while as much comes as goes', () => {
    const impression = impressionFactory()
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

  it('answers at once: memory does not pay for a promise', () => {
    const outbox = new MemoryOutbox({ maxPending: 1, maxBatch: 1 })
    assert.equal(outbox.append(impressionFactory()()), 'accepted')
    const claim = outbox.claim(1)
    assert(claim)
    assert.equal(outbox.release(claim, claim.impressions), undefined)
    assert.equal(outbox.expire(1).length, 1)
  })
})
