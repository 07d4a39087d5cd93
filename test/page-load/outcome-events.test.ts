import assert from 'node:assert/strict'
import { systemClock } from '../../lib/clock.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { TrackerOptions } from '../../lib/options.js'
import { BROWSER, ROBOT, view } from './browser.js'
import { ensAd } from './campaigns.js'
import { type Call, NetworkAtHand } from './network-at-hand.js'
import { type Page, Publisher } from './publisher.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'

interface Scene {
  readonly page?: Page
  readonly headers?: Readonly<Record<string, string>>
  readonly options?: TrackerOptions
  /** What the network does with each call, in turn; the clock has moved on by 250 ms each time. */
  readonly answers?: readonly ((call: Call) => void)[]
  /** What the last outcome tells, besides network, page load and campaign. */
  readonly told: Pick<OutcomeEvent, 'outcome' | 'attempts' | 'latencyMs'> & { reason: RegExp }
}

const succeed = (call: Call) => call.succeed()
const track: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  res.end()
}

const SCENES: Readonly<Record<string, Scene>> = {
  'an impression that the network counts': {
    answers: [succeed],
    told: { outcome: 'delivered', attempts: 1, latencyMs: 250, reason: /^HTTP 200$/ },
  },
  'one that the network counts at the third call': {
    answers: [(call) => call.fail(503), (call) => call.fail(429), succeed],
    told: { outcome: 'delivered', attempts: 3, latencyMs: 750, reason: /^HTTP 200$/ },
  },
  'one that has counted': {
    page({ res, trackImpression }) {
      trackImpression(ensAd())
      trackImpression(ensAd())
      res.end()
    },
    told: { outcome: 'duplicate', attempts: 0, latencyMs: 0, reason: /42/ },
  },
  'one that is no display': {
    headers: ROBOT,
    told: { outcome: 'suppressed', attempts: 0, latencyMs: 0, reason: /^bot$/ },
  },
  'one that cannot be sent': {
    page({ res, trackImpression }) {
      trackImpression({ ...ensAd(), placement: '' })
      res.end()
    },
    told: { outcome: 'invalid', attempts: 0, latencyMs: 0, reason: /^placement: .*""/ },
  },
  'one that the network refuses': {
    answers: [(call) => call.fail(400)],
    told: { outcome: 'rejected', attempts: 1, latencyMs: 250, reason: /HTTP 400/ },
  },
  'one whose answer is lost': {
    answers: [(call) => call.sever()],
    told: { outcome: 'uncertain', attempts: 1, latencyMs: 250, reason: /./ },
  },
  'one that there is no room for': {
    options: { delivery: { maxPending: 1 } },
    page({ res, trackImpression }) {
      trackImpression(ensAd(1))
      trackImpression(ensAd())
      res.end()
    },
    told: { outcome: 'dropped', attempts: 0, latencyMs: 0, reason: /^overflow$/ },
  },
}

describe('the outcome of', () => {
  for (const [what, { page = track, headers, options, answers = [], told }] of Object.entries(
    SCENES,
  )) {
    it(`${what} is told as ${told.outcome}, with all that there is to tell`, async () => {
      let nowMs = Date.UTC(2026, 0, 1)
      await using network = await NetworkAtHand.start()
      await using site = await Publisher.start(
        page,
        { networks: [network.network], requestId: () => 'a-page-load', ...options },
        { clock: { ...systemClock, now: () => nowMs }, random: () => 0 },
      )

      await view(site.url, { headers: { ...BROWSER, ...headers } })
      for (const answer of answers) {
        const call = await network.nextCall()
        nowMs += 250
        answer(call)
      }

      await site.whenTold(1)
      const [event] = site.outcomes
      assert.ok(event)
      const { reason, ...others } = event
      assert.deepEqual(others, {
        network: 'ens',
        outcome: told.outcome,
        requestId: 'a-page-load',
        campaignId: 42,
        // An invalid one is told as it was given.
        placement: told.outcome === 'invalid' ? '' : 'header_banner',
        attempts: told.attempts,
        latencyMs: told.latencyMs,
      })
      assert.match(reason, told.reason)
      assert.ok(Object.isFrozen(event))
    })
  }

  it('an offer has the offer id, as the network spells it, and no placement', async () => {
    const page: Page = ({ res, trackImpression }) => {
      trackImpression({ campaignId: ID, offerId: '00000000-0000-0000-0000-000000000001' })
      res.end()
    }
    await using site = await Publisher.start(page)
    await view(site.url)
    await site.whenTold(1)
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
      await view(site.url)
      await site.whenTold(1)
      const { outcome, placement, offerId } = site.outcomes[0] ?? {}
      assert.deepEqual(
        { outcome, placement, offerId },
        { placement: undefined, offerId: undefined, ...expected, outcome: 'invalid' },
      )
    })
  }

  it('every kind is among these', () => {
    const kinds = new Set(Object.values(SCENES).map(({ told }) => told.outcome))
    assert.deepEqual([...kinds].sort(), [...OUTCOMES].sort())
  })
})
