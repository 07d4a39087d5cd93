import assert from 'node:assert/strict'
import { setImmediate as waitForNextTurn } from 'node:timers/promises'
import type { Fault } from '../../lib/sandbox/sandbox.js'
import { closientAd, ensAd, shortuuid } from '../page-load/campaigns.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { type Page, Publisher } from '../page-load/publisher.js'
import { omitZeros } from '../page-load/stats-assertions.js'

const CLOSIENT_ADS = 8
const ADS = 1 + CLOSIENT_ADS

const showAds: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  for (let n = 0; n < CLOSIENT_ADS; n += 1) trackImpression(closientAd(n))
  res.end()
}

/** Starts a site without backoff: each random part of it is 0. */
async function startSite(): Promise<Publisher> {
  return Publisher.start(showAds, {}, { random: () => 0 })
}

interface SingleFault {
  readonly name: string
  readonly fault: Fault
  /** The outcome of all impressions if the fault occurs once per network. */
  readonly outcome: 'delivered' | 'uncertain' | 'rejected'
  /** Calls that ENS has read in the end, and Closient too unless it received retries in parts. */
  readonly calls: number
}

const SINGLE_FAULTS: readonly SingleFault[] = [
  {
    name: 'a reset before the request is read',
    fault: { reset: 'before-read' },
    outcome: 'delivered',
    calls: 1,
  },
  { name: 'a 503', fault: { status: 503 }, outcome: 'delivered', calls: 2 },
  { name: 'a 500', fault: { status: 500 }, outcome: 'delivered', calls: 2 },
  {
    name: 'a 429 with Retry-After: 0',
    fault: {
      status: 429,
      headers: { 'retry-after': '0', 'ratelimit-remaining': null, 'ratelimit-reset': null },
    },
    outcome: 'delivered',
    calls: 2,
  },
  { name: 'a 400', fault: { status: 400 }, outcome: 'rejected', calls: 1 },
  {
    name: 'a reset after the request is read',
    fault: { reset: 'after-read' },
    outcome: 'uncertain',
    calls: 1,
  },
  { name: 'a 502 of a gateway', fault: { status: 502 }, outcome: 'uncertain', calls: 1 },
  {
    name: 'a reset in the middle of a 200',
    fault: { reset: 'mid-answer' },
    outcome: 'delivered',
    calls: 1,
  },
]

describe('a page whose impressions meet one fault', () => {
  for (const { name, fault, outcome, calls } of SINGLE_FAULTS) {
    it(`has all impressions ${outcome}, and none counted twice, after ${name}`, async () => {
      await using site = await startSite()
      const { ens, closient } = site.sandbox
      ens.fault(fault, { times: 1 })
      closient.fault(fault, { times: 1 })

      await fetchPage(site.url)

      await site.waitForOutcomes(ADS)
      await site.closeAndSummarize()
      const stats = site.tracker.stats()
      assert.deepEqual(omitZeros(stats.ens), { tracked: 1, [outcome]: 1 })
      assert.deepEqual(omitZeros(stats.closient), {
        tracked: CLOSIENT_ADS,
        [outcome]: CLOSIENT_ADS,
      })
      assert.equal(ens.totals.calls, calls)
      if (outcome === 'delivered') {
        // A retry may be sent in parts.
        assert.equal(ens.totals.impressions, 1)
        assert.equal(closient.totals.impressions, CLOSIENT_ADS)
      } else {
        assert.equal(closient.totals.calls, calls)
      }
    })
  }

  it('has all impressions delivered after connections were refused', async () => {
    await using site = await startSite()
    const acceptConnections = await site.sandbox.refuse()
    await fetchPage(site.url)
    while (site.lines.length < 2) await waitForNextTurn()
    assert.deepEqual(site.summaries, [])

    await acceptConnections()

    await site.waitForOutcomes(ADS)
    assert.equal(site.sandbox.ens.totals.impressions, 1)
    assert.equal(site.sandbox.closient.totals.impressions, CLOSIENT_ADS)
  })

  it('has only the bad item of a refused batch rejected', async () => {
    await using site = await startSite()
    const bad = shortuuid(5)
    site.sandbox.closient.fault(
      { status: 422 },
      { when: ({ body }) => JSON.stringify(body).includes(bad) },
    )

    await fetchPage(site.url)

    await site.waitForOutcomes(ADS)
    const rejected = site.outcomes.filter(({ outcome }) => outcome === 'rejected')
    assert.deepEqual(
      rejected.map(({ campaignId }) => campaignId),
      [bad],
    )
    assert.equal(site.sandbox.closient.totals.impressions, CLOSIENT_ADS - 1)
  })

  it('has the shortfall of a low count rejected, and not sent again', async () => {
    await using site = await startSite()
    site.sandbox.closient.fault({ counts: 5 })

    await fetchPage(site.url)

    await site.waitForOutcomes(ADS)
    await site.closeAndSummarize()
    assert.deepEqual(omitZeros(site.tracker.stats().closient), {
      tracked: CLOSIENT_ADS,
      delivered: 5,
      rejected: CLOSIENT_ADS - 5,
    })
    assert.equal(site.sandbox.closient.totals.calls, 1)
  })

  it('has an impression rejected after a 200 with status "error"', async () => {
    await using site = await startSite()
    site.sandbox.ens.fault({ body: { status: 'error', message: 'campaign is paused' } })

    await fetchPage(site.url)

    await site.waitForOutcomes(ADS)
    const event = site.outcomes.find(({ network }) => network === 'ens')
    assert.equal(event?.outcome, 'rejected')
    assert.match(event.reason, /campaign is paused/)
  })
})
