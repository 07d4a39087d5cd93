import assert from 'node:assert/strict'
import { metrics } from '@opentelemetry/api'
import { observe } from '../../lib/observability/opentelemetry.js'
import { createTracker } from '../../lib/tracker.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { ManualEns } from '../page-load/manual-ens.js'
import { type Page, Publisher } from '../page-load/publisher.js'
import { MetricsServer } from './metrics-server.js'
import { listValues } from './scrape.js'

const renderAds: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  trackImpression(ensAd())
  trackImpression(closientAd())
  // @ts-expect-error an ad of no network
  trackImpression({ url: '/an-ad' })
  res.end()
}

describe('observe()', () => {
  it('counts outcomes by network, outcome and reason code', async () => {
    await using server = await MetricsServer.start()
    await using site = await Publisher.start(renderAds)
    observe(site.tracker, server)

    await fetchPage(site.url)
    await site.waitForOutcomes(4)

    assert.deepEqual(listValues(await server.scrape(), 'outcomes_total'), {
      'ens delivered http-200': 1,
      'ens duplicate already-counted': 1,
      'closient delivered http-200': 1,
      'unknown invalid invalid-input': 1,
    })
  })

  it('records the time to each outcome in seconds', async () => {
    await using server = await MetricsServer.start()
    const tracker = createFakeTracker()
    observe(tracker, server)

    tracker.conclude(40)
    tracker.conclude(90_000)

    const samples = await server.scrape()
    assert.deepEqual(listValues(samples, 'outcome_duration_sum'), { 'ens delivered': 90.04 })
    const buckets = listValues(samples, 'outcome_duration_bucket')
    assert.equal(buckets['ens delivered 0.025'], 0)
    assert.equal(buckets['ens delivered 0.05'], 1)
    assert.equal(buckets['ens delivered 60'], 1)
    assert.equal(buckets['ens delivered 300'], 2)
  })

  it('reports what is held and pending, and since when', async () => {
    await using server = await MetricsServer.start()
    await using manualEns = await ManualEns.start()
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        trackImpression(ensAd())
        res.end()
      },
      { networks: [manualEns.network] },
    )
    observe(site.tracker, server)

    await fetchPage(site.url)
    const call = await manualEns.nextCall()
    while (site.tracker.health().ens?.oldestPendingMs === 0) await server.scrape()
    const samples = await server.scrape()
    call.succeed()

    assert.deepEqual(listValues(samples, 'held_count'), { ens: 0 })
    assert.deepEqual(listValues(samples, 'pending_count'), { ens: 1 })
    const { ens: ageSeconds = 0 } = listValues(samples, 'pending_age')
    assert.ok(ageSeconds > 0 && ageSeconds < 60, `${ageSeconds}`)
  })

  it('reports the state of the circuit breaker as 1, and the others as 0', async () => {
    await using server = await MetricsServer.start()
    await using manualEns = await ManualEns.start()
    await using site = await Publisher.start(
      ({ res, trackImpression }) => {
        trackImpression(ensAd())
        res.end()
      },
      { networks: [manualEns.network] },
    )
    observe(site.tracker, server)
    const states = async () => listValues(await server.scrape(), 'circuit_state')
    assert.deepEqual(await states(), { 'ens closed': 1, 'ens open': 0, 'ens half-open': 0 })

    await fetchPage(site.url)
    const call = await manualEns.nextCall()
    call.fail(401)
    while (site.tracker.health().ens?.circuit === 'closed') await server.scrape()

    assert.deepEqual(await states(), { 'ens closed': 0, 'ens open': 1, 'ens half-open': 0 })
  })

  it('reports the quota that is left of each window', async () => {
    await using server = await MetricsServer.start()
    await using site = await Publisher.start(renderAds)
    observe(site.tracker, server)

    await fetchPage(site.url)
    await site.waitForOutcomes(4)

    const samples = await server.scrape()
    assert.deepEqual(listValues(samples, 'quota_limit'), {
      'closient 60': 300,
      'closient 86400': 10_000,
    })
    assert.deepEqual(listValues(samples, 'quota_remaining'), {
      'closient 60': 299,
      'closient 86400': 9_999,
    })
  })

  it('has no label whose value a page or a viewer chooses', async () => {
    await using server = await MetricsServer.start()
    await using site = await Publisher.start(renderAds)
    observe(site.tracker, server)

    await fetchPage(site.url)
    await site.waitForOutcomes(4)

    const labels = new Set((await server.scrape()).flatMap((sample) => Object.keys(sample.labels)))
    assert.deepEqual(
      [...labels].sort(),
      [
        'ad_impressions_circuit_state',
        'ad_impressions_network_name',
        'ad_impressions_outcome_reason',
        'ad_impressions_outcome_type',
        'ad_impressions_quota_window',
        'le',
      ].sort(),
    )
  })

  it('stops when its function is called', async () => {
    await using server = await MetricsServer.start()
    const tracker = createFakeTracker()
    const stop = observe(tracker, server)
    tracker.conclude(1)
    await server.scrape()
    const { reads } = tracker

    stop()
    tracker.conclude(1)

    const samples = await server.scrape()
    assert.deepEqual(listValues(samples, 'outcomes_total'), { 'ens delivered http-200': 1 })
    assert.equal(reads, 1)
    assert.equal(tracker.reads, reads)
    assert.equal(tracker.listeners.size, 0)
  })

  it('reports zeros for a tracker with enabled: false', async () => {
    await using server = await MetricsServer.start()
    observe(createTracker({ enabled: false }), server)

    const samples = await server.scrape()

    assert.deepEqual(listValues(samples, 'pending_count'), { ens: 0, closient: 0 })
    assert.deepEqual(listValues(samples, 'outcomes_total'), {})
  })

  it('uses the global meter provider by default', async () => {
    await using server = await MetricsServer.start()
    metrics.setGlobalMeterProvider(server.meterProvider)
    try {
      observe(createFakeTracker())
      assert.deepEqual(listValues(await server.scrape(), 'pending_count'), { ens: 0, closient: 0 })
    } finally {
      metrics.disable()
    }
  })

  it('does nothing without a meter provider', () => {
    const tracker = createFakeTracker()
    const stop = observe(tracker)
    tracker.conclude(1)
    stop()
  })
})

/** A tracker with `enabled: false` whose outcomes the test decides. */
function createFakeTracker() {
  const listeners = new Set<Parameters<typeof tracker.on>[1]>()
  const tracker = createTracker({ enabled: false })
  return {
    ...tracker,
    listeners,
    reads: 0,
    health() {
      this.reads += 1
      return tracker.health()
    },
    on: (_event: 'outcome', listener: Parameters<typeof tracker.on>[1]) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    conclude(latencyMs: number) {
      for (const listener of listeners) {
        listener({
          network: 'ens',
          outcome: 'delivered',
          reason: 'http-200: the network accepted it',
          requestId: 'request',
          campaignId: 42,
          attempts: 1,
          latencyMs,
        })
      }
    },
  }
}
