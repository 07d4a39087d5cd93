import assert from 'node:assert/strict'
import { systemClock } from '../../lib/clock.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'
import type { TrackerOptions } from '../../lib/options.js'
import { ensAd } from './campaigns.js'
import { BOT_HEADERS, BROWSER_HEADERS, fetchPage } from './fetch-page.js'
import { ManualEns, type ReceivedCall } from './manual-ens.js'
import { type Page, Publisher } from './publisher.js'

interface Scene {
  readonly page?: Page
  readonly headers?: Readonly<Record<string, string>>
  readonly options?: TrackerOptions
  /** What the network does with each call, in turn; the clock has moved on by 250 ms each time. */
  readonly answers?: readonly ((call: ReceivedCall) => void)[]
  /** What the last outcome tells, besides network, page load and campaign. */
  readonly told: Pick<OutcomeEvent, 'outcome' | 'attempts' | 'latencyMs'> & { reason: RegExp }
}

const succeed = (call: ReceivedCall) => call.succeed()
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
    answers: [(call) => call.fail(500), (call) => call.fail(429), succeed],
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
    headers: BOT_HEADERS,
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
    answers: [(call) => call.disconnect()],
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
      const { reason, ...others } = event
      assert.deepEqual(others, {
        network: 'ens',
        outcome: told.outcome,
        requestId: 'a-page-load',
        campaignId: 42,
        attempts: told.attempts,
        latencyMs: told.latencyMs,
      })
      assert.match(reason, told.reason)
      assert.ok(Object.isFrozen(event))
    })
  }

  it('every kind is among these', () => {
    const kinds = new Set(Object.values(SCENES).map(({ told }) => told.outcome))
    assert.deepEqual([...kinds].sort(), [...OUTCOMES].sort())
  })
})
