import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Fault } from '../../lib/sandbox/sandbox.js'
import { closientAd, ensAd, shortuuid } from '../page-load/campaigns.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { type Page, Publisher } from '../page-load/publisher.js'
import { omitZeros } from '../page-load/stats-assertions.js'

const ADS = 8

const track: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  for (let n = 0; n < ADS; n += 1) trackImpression(closientAd(n))
  res.end()
}

/** A site that sends again without waiting: the backoff is whatever `random` says, up to a bound. */
async function startSite(): Promise<Publisher> {
  return Publisher.start(track, {}, { random: () => 0 })
}

interface Scene {
  readonly fault: Fault
  /** What each network comes to, for its one or eight impressions, if the fault befalls one call. */
  readonly outcome: 'delivered' | 'uncertain' | 'rejected'
  /** Calls that ENS has read in the end, and Closient where nothing is sent again. */
  readonly calls: number
}

const SCENES: Readonly<Record<string, Scene>> = {
  'resets the connection unread': {
    fault: { reset: 'before-read' },
    outcome: 'delivered',
    calls: 1,
  },
  'answers 503': { fault: { status: 503 }, outcome: 'delivered', calls: 2 },
  'answers 500': { fault: { status: 500 }, outcome: 'delivered', calls: 2 },
  'answers 429 and "at once"': {
    fault: {
      status: 429,
      headers: { 'retry-after': '0', 'ratelimit-remaining': null, 'ratelimit-reset': null },
    },
    outcome: 'delivered',
    calls: 2,
  },
  'answers 400': { fault: { status: 400 }, outcome: 'rejected', calls: 1 },
  'reads the call and resets the connection': {
    fault: { reset: 'after-read' },
    outcome: 'uncertain',
    calls: 1,
  },
  'is behind a gateway that answers 502': {
    fault: { status: 502 },
    outcome: 'uncertain',
    calls: 1,
  },
  'breaks off the body of a 200': {
    fault: { reset: 'mid-answer' },
    outcome: 'delivered',
    calls: 1,
  },
}

describe('a network that, once,', () => {
  for (const [does, { fault, outcome, calls }] of Object.entries(SCENES)) {
    it(`${does}: all is ${outcome}, never twice`, async () => {
      await using site = await startSite()
      const { ens, closient } = site.sandbox
      ens.fault(fault, { times: 1 })
      closient.fault(fault, { times: 1 })

      await fetchPage(site.url)

      await site.waitForOutcomes(1 + ADS)
      await site.closeAndSummarize()
      assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, [outcome]: 1 })
      assert.deepEqual(omitZeros(site.tracker.stats().closient), { tracked: ADS, [outcome]: ADS })
      assert.equal(ens.totals.calls, calls)
      if (outcome === 'delivered') {
        // What is sent again may be sent in parts.
        assert.equal(ens.totals.impressions, 1)
        assert.equal(closient.totals.impressions, ADS)
      } else {
        assert.equal(closient.totals.calls, calls)
      }
    })
  }

  it('refuses connections: all is delivered once it takes them', async () => {
    await using site = await startSite()
    const resume = await site.sandbox.refuse()
    await fetchPage(site.url)
    while (site.lines.length < 2) await nextTurn()
    assert.deepEqual(site.summaries, [])

    await resume()

    await site.waitForOutcomes(1 + ADS)
    assert.equal(site.sandbox.ens.totals.impressions, 1)
    assert.equal(site.sandbox.closient.totals.impressions, ADS)
  })

  it('refuses a batch for one bad item: only that one is rejected', async () => {
    await using site = await startSite()
    const bad = shortuuid(5)
    site.sandbox.closient.fault(
      { status: 422 },
      { when: ({ body }) => JSON.stringify(body).includes(bad) },
    )

    await fetchPage(site.url)

    await site.waitForOutcomes(1 + ADS)
    const rejected = site.outcomes.filter(({ outcome }) => outcome === 'rejected')
    assert.deepEqual(
      rejected.map(({ campaignId }) => campaignId),
      [bad],
    )
    assert.equal(site.sandbox.closient.totals.impressions, ADS - 1)
  })

  it('counts fewer than it was sent: the rest is rejected and not sent again', async () => {
    await using site = await startSite()
    site.sandbox.closient.fault({ counts: 5 })

    await fetchPage(site.url)

    await site.waitForOutcomes(1 + ADS)
    await site.closeAndSummarize()
    assert.deepEqual(omitZeros(site.tracker.stats().closient), {
      tracked: ADS,
      delivered: 5,
      rejected: ADS - 5,
    })
    assert.equal(site.sandbox.closient.totals.calls, 1)
  })

  it('says "error" with a 200: it has refused', async () => {
    await using site = await startSite()
    site.sandbox.ens.fault({ body: { status: 'error', message: 'campaign is paused' } })

    await fetchPage(site.url)

    await site.waitForOutcomes(1 + ADS)
    const told = site.outcomes.find(({ network }) => network === 'ens')
    assert.equal(told?.outcome, 'rejected')
    assert.match(told.reason, /campaign is paused/)
  })
})
