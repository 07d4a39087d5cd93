// Tests lib/delivery/pending-outcomes.ts

import assert from 'node:assert/strict'
import { Statistics } from '../../lib/counting/statistics.js'
import { MemoryOutbox } from '../../lib/delivery/outbox/memory-outbox.js'
import type { Claim } from '../../lib/delivery/outbox/outbox.js'
import { PendingImpressions } from '../../lib/delivery/pending-impressions.js'
import { createLog } from '../../lib/logger.js'
import { readReasonCode } from '../../lib/reason.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { createImpressionFactory } from './impressions.js'
import { VirtualClock } from './virtual-clock.js'

const MAX_AGE_MS = 10_000

/** Pending impressions in a memory outbox with room for four. */
function createPending() {
  const clock = new VirtualClock()
  const log = createLog(createMemoryLogger([]), clock)
  const allStatistics = new Statistics([{ name: 'acme' }], clock, log)
  const statistics = allStatistics.forNetwork('acme')
  const outcomes: string[] = []
  allStatistics.on('outcome', ({ campaignId, outcome, reason }) => {
    outcomes.push(`${campaignId} ${outcome}: ${readReasonCode(reason)}`)
  })
  const readiness = { calls: 0 }
  const pending = new PendingImpressions({
    network: 'acme',
    statistics,
    outbox: new MemoryOutbox({ maxPending: 4, maxBatch: 4 }),
    maxPending: 4,
    maxAgeMs: MAX_AGE_MS,
    clock,
    log,
    onReady: () => {
      readiness.calls += 1
    },
    onCallHistory: () => {},
  })
  const impression = createImpressionFactory()
  return {
    pending,
    clock,
    statistics,
    outcomes,
    readiness,
    /** Adds and stores so many impressions. */
    fill(count: number): void {
      for (let n = 0; n < count; n += 1) {
        pending.add(impression({ sequence: 0, trackedAtMs: clock.now() }))
      }
      pending.store()
    },
    claim(): Claim {
      let claimed: Claim | undefined
      pending.claim(4, false, (claim) => {
        claimed = claim
      })
      assert(claimed, 'nothing was claimed')
      return claimed
    },
  }
}

/** All impressions of a claim. */
const toBatch = (claim: Claim) => ({ claim, impressions: claim.impressions })

describe('PendingImpressions', () => {
  it('counts an impression as pending from add() to its outcome', () => {
    const { pending, statistics, outcomes, fill, claim } = createPending()
    fill(2)
    assert.equal(statistics.pending, 2)
    pending.conclude(toBatch(claim()), 'delivered', 'http-200: the network accepted it')
    assert.equal(statistics.pending, 0)
    assert.deepEqual(outcomes, ['1 delivered: http-200', '2 delivered: http-200'])
  })

  it('drops impressions beyond maxPending', () => {
    const { outcomes, fill } = createPending()
    fill(5)
    assert.deepEqual(outcomes, ['5 dropped: overflow'])
  })

  it('returns a requeued batch to the outbox, and reports that it is ready', () => {
    const { pending, readiness, fill, claim } = createPending()
    fill(2)
    const claimed = claim()
    assert.equal(pending.isAnyWaiting, false)
    const callsBefore = readiness.calls
    pending.requeue(toBatch(claimed))
    assert.equal(pending.isAnyInOutbox, true)
    assert.equal(readiness.calls, callsBefore + 1)
  })

  it('keeps the halves of a batch apart from the outbox', () => {
    const { pending, fill, claim } = createPending()
    fill(4)
    pending.halve(toBatch(claim()))
    assert.equal(pending.hasRetry, true)
    assert.equal(pending.isAnyInOutbox, false)
    assert.equal(pending.takeRetry(4)?.impressions.length, 2)
    assert.equal(pending.takeRetry(4)?.impressions.length, 2)
    assert.equal(pending.isAnyWaiting, false)
  })

  it('drops what expires in the outbox and among the retries', () => {
    const { pending, clock, statistics, outcomes, fill, claim } = createPending()
    fill(2)
    pending.halve(toBatch(claim()))
    fill(1)
    clock.advance(1.2 * MAX_AGE_MS)
    assert.deepEqual(outcomes.toSorted(), [
      '1 dropped: expired',
      '2 dropped: expired',
      '3 dropped: expired',
    ])
    assert.equal(statistics.pending, 0)
  })

  it('ends an impression that may have counted as uncertain, although it is refused later', () => {
    const { pending, outcomes, fill, claim } = createPending()
    fill(1)
    pending.requeueMaybeCounted(toBatch(claim()))
    pending.conclude(toBatch(claim()), 'rejected', 'http-400: no')
    assert.deepEqual(outcomes, ['1 uncertain: sent-before'])
  })

  it('drops everything but the calls in flight on close()', () => {
    const { pending, statistics, outcomes, fill, claim } = createPending()
    fill(1)
    const inFlight = claim()
    fill(2)
    pending.close()
    assert.deepEqual(outcomes.toSorted(), ['2 dropped: closed', '3 dropped: closed'])
    assert.equal(statistics.pending, 1)
    pending.requeue(toBatch(inFlight))
    assert.equal(statistics.pending, 0)
  })
})
