import assert from 'node:assert/strict'
import { Dedupe } from '../../lib/counting/dedupe.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { Publisher } from '../page-load/publisher.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { createDelivery, range } from './delivery-fixture.js'
import { connectionError, ok, status } from './scripted-transport.js'
import { VirtualClock } from './virtual-clock.js'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

const STEPS = { ahead: 3 * DAY_MS, back: -DAY_MS } as const

for (const [direction, byMs] of Object.entries(STEPS)) {
  describe(`when the system clock is set ${direction}`, () => {
    it('impressions that wait for the end of an outage neither expire nor wait longer', () => {
      const { push, clock, transport, ended, outcomes } = createDelivery({
        maxAgeMs: 10 * MINUTE_MS,
      })
      transport.script = () => connectionError(false)
      push(5)
      clock.advance(MINUTE_MS)
      clock.setWallClock(byMs)
      clock.advance(MINUTE_MS)
      assert.deepEqual(outcomes, [])
      transport.script = () => ok
      clock.advance(MINUTE_MS + 1_000)
      assert.deepEqual(new Set(ended('delivered')), new Set(range(1, 5)))
    })

    it('impressions that have waited too long expire as before', () => {
      const { push, clock, transport, ended } = createDelivery({ maxAgeMs: 10 * MINUTE_MS })
      transport.script = () => connectionError(false)
      push(5)
      clock.setWallClock(byMs)
      clock.advance(11 * MINUTE_MS)
      assert.deepEqual(ended('dropped').sort(), range(1, 5))
    })

    it('no window is exceeded, and no call waits longer', () => {
      const windowMs = MINUTE_MS
      const { push, clock, transport } = createDelivery({
        network: { windows: [{ limit: 20, windowMs }], maxBatch: 1 },
      })
      push(60)
      for (let minute = 0; minute < 4; minute += 1) {
        clock.advance(MINUTE_MS / 2)
        clock.setWallClock(byMs)
        clock.advance(MINUTE_MS / 2)
      }
      const times = transport.calls.map(({ atMs }) => atMs)
      assert.equal(times.length, 60)
      for (const [index, atMs] of times.slice(20).entries()) {
        assert.ok(atMs - (times[index] ?? 0) >= windowMs, `call ${index + 20}`)
      }
    })

    it('a network is called again when its own wait is over', () => {
      const { push, clock, transport } = createDelivery()
      transport.script = () =>
        transport.calls.length === 1 ? status(503, { 'retry-after': '30' }) : ok
      push()
      clock.advance(1_000)
      clock.setWallClock(byMs)
      clock.advance(28_000)
      assert.equal(transport.calls.length, 1)
      clock.advance(2_000)
      assert.equal(transport.calls.length, 2)
    })

    it('an HTTP date in an answer without Date is compared with the new time', () => {
      const { push, clock, transport } = createDelivery()
      transport.script = () => {
        const untilMs = clock.wallNow() + 30_000
        const headers = { 'retry-after': new Date(untilMs).toUTCString() }
        return transport.calls.length === 1 ? status(503, headers) : ok
      }
      clock.setWallClock(byMs)
      push()
      clock.advance(28_000)
      assert.equal(transport.calls.length, 1)
      clock.advance(3_000)
      assert.equal(transport.calls.length, 2)
    })

    it('a page load is remembered for as long as before', () => {
      const clock = new VirtualClock()
      const dedupe = new Dedupe({ max: 10, ttlMs: 10_000, now: clock.now })
      const campaigns = dedupe.open({ requestId: 'a', canRecur: true })
      clock.setWallClock(byMs)
      clock.advance(9_000)
      assert.equal(dedupe.find('a'), campaigns)
      clock.advance(1_001)
      assert.equal(dedupe.find('a'), undefined)
    })
  })

  describe(`a tracker whose system clock is set ${direction}`, () => {
    const { now } = Date
    afterEach(() => {
      Date.now = now
    })

    it('counts a page load once, loses nothing, and reports only time that has really passed', async () => {
      await using site = await Publisher.start(
        ({ res, trackImpression }) => {
          trackImpression(ensAd())
          trackImpression(closientAd())
          res.end()
        },
        { requestId: (req) => String(req.url) },
      )
      const accept = await site.sandbox.ens.refuse()

      await fetchPage(`${site.url}a`)
      await site.waitForOutcomes(1)
      Date.now = () => now() + byMs
      await fetchPage(`${site.url}a`)
      await accept()
      await site.waitForOutcomes(4)

      assert.deepEqual(omitZeros(site.tracker.stats().ens), {
        tracked: 2,
        delivered: 1,
        duplicate: 1,
      })
      assert.deepEqual(omitZeros(site.tracker.stats().closient), {
        tracked: 2,
        delivered: 1,
        duplicate: 1,
      })
      for (const { latencyMs } of site.outcomes) assert.ok(latencyMs >= 0 && latencyMs < DAY_MS)
    })
  })
}
