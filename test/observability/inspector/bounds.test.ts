import assert from 'node:assert/strict'
import { createImpression, type Impression } from '../../../lib/impression.js'
import { OutcomeCounts } from '../../../lib/observability/inspector/outcome-counts.js'
import { PageLoads } from '../../../lib/observability/inspector/page-loads.js'
import { REASONS } from '../../../lib/reason.js'
import { VirtualClock } from '../../delivery/virtual-clock.js'

const ACCEPTED = 'http-200: the network accepted it'

function createPageLoads() {
  const { now, wallNow } = new VirtualClock()
  return new PageLoads({ now, wallNow, querySourceFor: () => 'nothing' })
}

function createAd(requestId: string, campaignId: string | number = 42, text = 'top'): Impression {
  const details = { campaignId, placement: text, offerId: text, item: {} }
  return createImpression('ens', requestId, details, 0, `GET /${text}`)
}

/** Records an impression that was delivered. */
function deliver(pageLoads: PageLoads, impression: Impression): void {
  pageLoads.onWaiting(impression)
  pageLoads.onConcluded(impression, 'delivered', ACCEPTED)
}

describe('what the inspector keeps', () => {
  it('is the last 100 page loads, the latest first', () => {
    const pageLoads = createPageLoads()
    for (let n = 0; n < 250; n += 1) deliver(pageLoads, createAd(`${n}-request-${n}`))

    const list = pageLoads.list()

    assert.equal(list.length, 100)
    assert.match(list[0]?.shortId ?? '', /^249-/)
    assert.match(list.at(-1)?.shortId ?? '', /^150-/)
  })

  it('is the last 50 impressions of a page load', () => {
    const pageLoads = createPageLoads()
    for (let campaign = 1; campaign <= 70; campaign += 1)
      deliver(pageLoads, createAd('r1', campaign))

    const [pageLoad] = pageLoads.list()

    assert.equal(pageLoad?.impressions.length, 50)
    assert.equal(pageLoad?.impressions[0]?.campaignId, 21)
    assert.equal(pageLoad?.omitted, 20)
  })

  it('does not come back when a page load that was forgotten ends', () => {
    const pageLoads = createPageLoads()
    const early = createAd('early-one')
    pageLoads.onWaiting(early)
    for (let n = 0; n < 100; n += 1) deliver(pageLoads, createAd(`${n}-request-${n}`))

    pageLoads.onConcluded(early, 'delivered', ACCEPTED)

    assert.ok(pageLoads.list().every(({ shortId }) => !shortId.startsWith('ear')))
  })

  it('is short, on one line and well-formed, whatever ids and paths are', () => {
    const pageLoads = createPageLoads()
    const text = `\u202e\n${'😀'.repeat(10_000)}`
    pageLoads.onConcluded(createAd(text, text, text), 'invalid', `invalid-input: ${text}`)

    const shown = JSON.stringify(pageLoads.list())

    assert.ok(shown.length < 2_000, `${shown.length} characters`)
    assert.doesNotMatch(shown, /\\n|\u202e|\\ud83d/)
  })

  it('is a copy, which later changes of the impression do not reach', () => {
    const pageLoads = createPageLoads()
    const impression = createAd('r1')
    deliver(pageLoads, impression)
    impression.attempts = 7
    assert.equal(pageLoads.list()[0]?.impressions[0]?.attempts, 0)
  })

  it('is one entry for an ad that its page issues twice', () => {
    const pageLoads = createPageLoads()
    pageLoads.onIssued(createAd('r1'))
    pageLoads.onIssued(createAd('r1'))
    assert.equal(pageLoads.list()[0]?.impressions.length, 1)

    pageLoads.onConcluded(createAd('r1'), 'duplicate', REASONS.alreadyCounted)
    assert.equal(pageLoads.list()[0]?.impressions.length, 1)
  })
})

describe('the counts of the last minutes', () => {
  const count = (counts: OutcomeCounts, outcome = 'delivered') =>
    counts.read().outcomes.find((entry) => entry.outcome === outcome)?.counts ?? []

  it('are kept for 15 minutes, in buckets of 10 seconds', () => {
    const clock = new VirtualClock()
    const counts = new OutcomeCounts(clock.now)
    counts.add('delivered')
    clock.advance(10_000)
    counts.add('delivered')
    counts.add('delivered')
    counts.add('rejected')

    assert.equal(count(counts).length, 90)
    assert.deepEqual(count(counts).slice(-3), [0, 1, 2])
    assert.deepEqual(count(counts, 'rejected').slice(-3), [0, 0, 1])

    clock.advance(14 * 60_000)
    assert.deepEqual(count(counts).slice(3, 6), [0, 1, 2])
    clock.advance(60_000)
    assert.deepEqual(
      count(counts).filter((n) => n > 0),
      [],
    )
  })

  it('are zero after a pause of hours', () => {
    const clock = new VirtualClock()
    const counts = new OutcomeCounts(clock.now)
    counts.add('delivered')
    clock.advance(7 * 60 * 60_000)
    counts.add('dropped')
    assert.deepEqual(
      count(counts).filter((n) => n > 0),
      [],
    )
    assert.equal(count(counts, 'dropped').at(-1), 1)
  })
})
