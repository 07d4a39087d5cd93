import assert from 'node:assert/strict'
import { MemoryOutbox } from '../../../lib/delivery/outbox/memory-outbox.js'
import type { Impression } from '../../../lib/impression.js'
import { impressionFactory } from '../impressions.js'
import { AsyncOutbox } from './async-outbox.js'
import { describeOutboxContract } from './outbox-contract.js'

describeOutboxContract('the memory outbox', (options) => new MemoryOutbox(options))
describeOutboxContract('a remote outbox', (options) => new AsyncOutbox(options))

const FEW = 1_000
const MANY = 100_000

/** The fastest of several runs, in nanoseconds. The others are slower because of other programs. */
function measureFastest(runs: number, task: () => void): number {
  let fastest = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run += 1) {
    const startedAt = process.hrtime.bigint()
    task()
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - startedAt))
  }
  return fastest
}

function claimAndSettle(outbox: MemoryOutbox, max: number): boolean {
  const claim = outbox.claim(max)
  if (claim) outbox.settle(claim, claim.impressions)
  return claim !== undefined
}

/** Fills and empties an outbox. */
function fillAndEmpty(impressions: readonly Impression[], maxBatch: number): void {
  const outbox = new MemoryOutbox({ maxPending: impressions.length, maxBatch })
  for (const impression of impressions) outbox.append(impression)
  while (claimAndSettle(outbox, maxBatch));
  assert.equal(outbox.waiting, 0)
}

/** Were the time per impression linear in the pending impressions, the ratio would be 100. */
function assertConstantTime(measure: (pending: number) => number): void {
  const ratio = measure(MANY) / measure(FEW)
  assert(ratio < 50, `an impression takes ${ratio.toFixed(1)} times as long`)
}

describe('the memory outbox', () => {
  for (const [load, keysPerImpression, maxBatch] of [
    ['one batch key and single calls', 0, 1],
    ['one batch key and batches of a thousand', 0, 1_000],
    ['a batch key per impression', 1, 1_000],
    ['a batch key per ten impressions', 0.1, 3],
  ] as const) {
    it(`takes constant time per impression, with ${load}`, () => {
      assertConstantTime((pending) => {
        const batchKeys = Math.max(1, pending * keysPerImpression)
        const impression = impressionFactory()
        const impressions = Array.from({ length: pending }, (_, n) =>
          impression({ batchKey: `${n % batchKeys}` }),
        )
        return measureFastest(7, () => fillAndEmpty(impressions, maxBatch)) / pending
      })
    })
  }

  it('takes constant time per impression while as many come as go', () => {
    const impression = impressionFactory()
    assertConstantTime((pending) => {
      const outbox = new MemoryOutbox({ maxPending: pending + 1, maxBatch: 1 })
      for (let n = 0; n < pending; n += 1) outbox.append(impression())
      return measureFastest(5, () => {
        for (let n = 0; n < 50_000; n += 1) {
          outbox.append(impression())
          assert(claimAndSettle(outbox, 1))
        }
      })
    })
  })

  it('answers without promises', () => {
    const outbox = new MemoryOutbox({ maxPending: 1, maxBatch: 1 })
    assert.equal(outbox.append(impressionFactory()()), 'accepted')
    const claim = outbox.claim(1)
    assert(claim)
    assert.equal(outbox.release(claim, claim.impressions), undefined)
    assert.equal(outbox.expire(1).length, 1)
  })
})
