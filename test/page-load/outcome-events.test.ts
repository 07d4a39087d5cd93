import assert from 'node:assert/strict'
import { systemClock } from '../../lib/clock.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { TrackerOptions } from '../../lib/options.js'
import { withoutAddress } from '../docs-address.js'
import { ensAd } from './campaigns.js'
import { BOT_HEADERS, BROWSER_HEADERS, fetchPage } from './fetch-page.js'
import { ManualEns, type ReceivedCall } from './manual-ens.js'
import { type Page, Publisher } from './publisher.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'

interface EventCase {
  readonly page?: Page
  readonly headers?: Readonly<Record<string, string>>
  readonly options?: TrackerOptions
  /** How the network answers each call in turn. The clock advances by 250 ms before each. */
  readonly answers?: readonly ((call: ReceivedCall) => void)[]
  /** The fields of the first event, besides network, page load and campaign. */
  readonly expected: Pick<OutcomeEvent, 'outcome' | 'attempts' | 'latencyMs'> & { reason: RegExp }
}

const succeed = (call: ReceivedCall) => call.succeed()
const renderEnsAd: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  res.end()
}

const CASES: Readonly<Record<string, EventCase>> = {
  'an impression that the network accepts': {
    answers: [succeed],
    expected: {
      outcome: 'delivered',
      attempts: 1,
      latencyMs: 250,
      reason: /^http-200: the network accepted it$/,
    },
  },
  'an impression that the network accepts at the third call': {
    answers: [(call) => call.fail(500), (call) => call.fail(429), succeed],
    expected: {
      outcome: 'delivered',
      attempts: 3,
      latencyMs: 750,
      reason: /^http-200: the network accepted it$/,
    },
  },
  'an impression that has already counted': {
    page({ res, trackImpression }) {
      trackImpression(ensAd())
      trackImpression(ensAd())
      res.end()
    },
    expected: { outcome: 'duplicate', attempts: 0, latencyMs: 0, reason: /^already-counted: / },
  },
  'an impression that is not a display': {
    headers: BOT_HEADERS,
    expected: { outcome: 'suppressed', attempts: 0, latencyMs: 0, reason: /^bot: .*traffic\.bots/ },
  },
  'an invalid impression': {
    page({ res, trackImpression }) {
      trackImpression({ ...ensAd(), placement: '' })
      res.end()
    },
    expected: {
      outcome: 'invalid',
      attempts: 0,
      latencyMs: 0,
      reason: /^invalid-input: placement: .*""/,
    },
  },
  'an impression that the network rejects': {
    answers: [(call) => call.fail(400)],
    expected: { outcome: 'rejected', attempts: 1, latencyMs: 250, reason: /^http-400: / },
  },
  'an impression whose answer is lost': {
    answers: [(call) => call.disconnect()],
    expected: { outcome: 'uncertain', attempts: 1, latencyMs: 250, reason: /^reset: / },
  },
  'an impression that exceeds maxPending': {
    options: { delivery: { maxPending: 1 } },
    page({ res, trackImpression }) {
      trackImpression(ensAd(1))
      trackImpression(ensAd())
      res.end()
    },
    expected: { outcome: 'dropped', attempts: 0, latencyMs: 0, reason: /^overflow: .*maxPending/ },
  },
}

describe('the event of', () => {
  for (const [
    name,
    { page = renderEnsAd, headers, options, answers = [], expected },
  ] of Object.entries(CASES)) {
    it(`${name} is '${expected.outcome}', with every field`, async () => {
      let nowMs = Date.UTC(2026, 0, 1)
      await using network = await ManualEns.start()
      await using site = await Publisher.start(
        page,
        { networks: [network.network], requestId: () => 'a-page-load', ...options },
        { clock: { ...systemClock, now: () => nowMs }, random: () => 0 },
      )

      await fetchPage(site.url, { headers: { ...BROWSER_HEADERS, ...headers } })
      for (const answer of answers) {
        const call = await network.nextCall()
        nowMs += 250
        answer(call)
      }

      await site.waitForOutcomes(1)
      const [event] = site.outcomes
      assert.ok(event)
      const { reason, ...otherFields } = event
      assert.deepEqual(otherFields, {
        network: 'ens',
        outcome: expected.outcome,
        requestId: 'a-page-load',
        campaignId: 42,
        // That of an invalid input is the one that it has.
        placement: expected.outcome === 'invalid' ? '' : 'header_banner',
        attempts: expected.attempts,
        latencyMs: expected.latencyMs,
      })
      assert.match(withoutAddress(reason), expected.reason)
      assert.ok(Object.isFrozen(event))
    })
  }

  it('an offer has the offer id, as the network spells it, and no placement', async () => {
    const page: Page = ({ res, trackImpression }) => {
      trackImpression({ campaignId: ID, offerId: '00000000-0000-0000-0000-000000000001' })
      res.end()
    }
    await using site = await Publisher.start(page)
    await fetchPage(site.url)
    await site.waitForOutcomes(1)
    const [event] = site.outcomes
    assert.equal(event?.outcome, 'delivered')
    assert.equal(event?.offerId, '2222222222222222222223')
    assert.ok(event && !('placement' in event))
  })

  for (const [what, input, expected] of [
    ['a wrong campaign', { campaignId: 0, placement: 'side' }, { placement: 'side' }],
    ['a wrong offer', { campaignId: ID, offerId: 'x' }, { offerId: 'x' }],
    ['an offer that is no text', { campaignId: ID, offerId: 7 }, {}],
    ['a placement that is too long', { campaignId: 0, placement: 'x'.repeat(257) }, {}],
    ['an unprintable placement', { campaignId: 0, placement: 'a\nb\u202e' }, { placement: 'a b' }],
    [
      'a wrong network',
      { network: 'acme', placement: 'a', offerId: 'b' },
      { placement: 'a', offerId: 'b' },
    ],
  ] as const) {
    it(`an invalid input with ${what} has what can be read`, async () => {
      const page: Page = ({ res, trackImpression }) => {
        Reflect.apply(trackImpression, undefined, [input])
        res.end()
      }
      const networks = [ens({ apiKey: 'a-key' }), closient({ apiKey: 'csb_a_key', perOffer: true })]
      await using site = await Publisher.start(page, { networks })
      await fetchPage(site.url)
      await site.waitForOutcomes(1)
      const { outcome, placement, offerId } = site.outcomes[0] ?? {}
      assert.deepEqual(
        { outcome, placement, offerId },
        { placement: undefined, offerId: undefined, ...expected, outcome: 'invalid' },
      )
    })
  }

  it('covers every outcome', () => {
    const outcomes = new Set(Object.values(CASES).map(({ expected }) => expected.outcome))
    assert.deepEqual([...outcomes].sort(), [...OUTCOMES].sort())
  })
})
