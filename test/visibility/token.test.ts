import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Clock, systemClock } from '../../lib/clock.js'
import { closient } from '../../lib/networks/closient.js'
import { REASONS } from '../../lib/reason.js'
import { ensAd } from '../page-load/campaigns.js'
import { assertBalanced, omitZeros } from '../page-load/stats-assertions.js'

import { adsByPath, findTokens, SECRET, VisibleSite } from './visible-site.js'

/** One step of the property test below. */
interface ReplayEvent {
  readonly what: 'page' | 'page elsewhere' | 'report' | 'report all'
  /** Selects a page load or a token. */
  readonly which: number
}

const MINUTE_MS = 60_000
const OTHER_SECRET = 'another-secret-of-this-test-9876543210'

/** The system clock, which a test can set forward. */
function createClockAhead(): Clock & { aheadMs: number } {
  const now = () => systemClock.wallNow() + clock.aheadMs
  const clock = { ...systemClock, aheadMs: 0, now, wallNow: now }
  return clock
}

/** Reports the tokens one by one. @returns all outcomes of the site so far, in order */
async function reportEach(site: VisibleSite, tokens: readonly string[]): Promise<string[]> {
  for (const token of tokens) {
    const before = site.outcomes.length
    await site.sendReport([token])
    await site.waitForOutcomes(before + 1)
  }
  return site.outcomes.map(({ network, outcome }) => `${network} ${outcome}`)
}

describe('a token', () => {
  it('that differs from a valid one in one character does not count', async () => {
    await using site = await VisibleSite.start()
    const [token = ''] = await site.fetchTokens()
    const character = fc.constantFrom(
      ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= "\0é',
    )
    const assertInvalid = async (at: number, other: string) => {
      fc.pre(other !== token[at])
      await site.sendReport([`${token.slice(0, at)}${other}${token.slice(at + 1)}`])
      assert.deepEqual(omitZeros(site.tracker.stats().ens), {})
    }

    const anywhere = fc.nat(token.length - 1)
    await fc.assert(fc.asyncProperty(anywhere, character, assertInvalid), { numRuns: 300 })
    // Two bits of the last character are not part of the signature.
    for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      if (other !== token.at(-1)) await assertInvalid(token.length - 1, other)
    }

    assert.deepEqual(
      await reportEach(site, [token]).then((outcomes) => outcomes.at(-1)),
      'ens delivered',
    )
  })

  it('that is truncated, extended, or combined from two tokens does not count', async () => {
    await using site = await VisibleSite.start()
    const [ens = '', other = ''] = await site.fetchTokens()
    const [payload = '', signature = ''] = ens.split('.')
    const [otherPayload = '', otherSignature = ''] = other.split('.')
    const forged = [
      payload,
      `${payload}.`,
      `.${signature}`,
      signature,
      `${payload}.${otherSignature}`,
      `${otherPayload}.${signature}`,
      `${payload}${signature}`,
      `${ens}.`,
      ` ${ens}`,
      `${ens}\n`,
      `${ens}=`,
      `${ens}${'A'.repeat(20_000)}`,
      'A'.repeat(60_000),
      '',
      '__proto__',
      '.',
    ]

    for (const token of forged) await site.sendReport([token])

    assert.deepEqual(await site.closeAndSummarize(), Array(forged.length).fill('unknown invalid'))
  })

  it('of another site, signed with another secret, does not count', async () => {
    await using site = await VisibleSite.start()
    await using other = await VisibleSite.start({
      options: { visibility: { secret: OTHER_SECRET } },
    })

    assert.deepEqual(await reportEach(site, await other.fetchTokens('/')), [
      'unknown invalid',
      'unknown invalid',
    ])
  })

  it('for a network that is not configured does not count', async () => {
    await using site = await VisibleSite.start()
    await using other = await VisibleSite.start({
      options: {
        networks: [closient({ apiKey: 'csb_key', baseUrl: site.sandbox.closient.baseUrl })],
      },
    })

    assert.deepEqual(await reportEach(other, (await site.fetchTokens()).slice(0, 1)), [
      'unknown invalid',
    ])
  })

  describe('after the secret is rotated', () => {
    const both = { visibility: { secret: [OTHER_SECRET, SECRET] } }

    it('counts if the old secret signed it', async () => {
      await using site = await VisibleSite.start({ options: both })
      await using before = await VisibleSite.start({ page: adsByPath })

      assert.deepEqual(await reportEach(site, await before.fetchTokens('/1')), ['ens delivered'])
    })

    it('is signed with the new secret', async () => {
      await using site = await VisibleSite.start({ page: adsByPath, options: both })
      await using after = await VisibleSite.start({
        options: { visibility: { secret: OTHER_SECRET } },
      })

      assert.deepEqual(await reportEach(after, await site.fetchTokens('/1')), ['ens delivered'])
    })

    it('does not count once the old secret that signed it is removed', async () => {
      await using before = await VisibleSite.start({ page: adsByPath })
      await using after = await VisibleSite.start({
        options: { visibility: { secret: [OTHER_SECRET] } },
      })

      assert.deepEqual(await reportEach(after, await before.fetchTokens('/1')), ['unknown invalid'])
    })
  })

  it('counts until it expires, not later', async () => {
    const clock = createClockAhead()
    const visibility = { secret: SECRET, tokenTtlMs: MINUTE_MS }
    await using site = await VisibleSite.start({ clock, page: adsByPath, options: { visibility } })
    const [first = '', second = ''] = await site.fetchTokens('/1/2')

    clock.aheadMs = MINUTE_MS - 5_000
    const early = await reportEach(site, [first])
    clock.aheadMs = MINUTE_MS
    const late = await reportEach(site, [second])

    assert.deepEqual(early, ['ens delivered'])
    assert.deepEqual(late, ['ens delivered', 'ens invalid'])
    assert.match(site.outcomes.at(-1)?.reason ?? '', /one that has not expired/)
  })

  it('counts once, however many other page loads are remembered meanwhile', async () => {
    await using site = await VisibleSite.start({
      page: adsByPath,
      options: { dedupe: { max: 1 }, requestId: (req) => String(Object(req).headers['x-id']) },
    })
    const [token = '', later = ''] = await site.fetchTokens('/1/2', { 'x-id': 'a' })
    await site.sendReport([token])
    await site.fetchTokens('/3', { 'x-id': 'b' })

    assert.deepEqual(await reportEach(site, [token, later, later]), [
      'ens delivered',
      'ens duplicate',
      'ens delivered',
      'ens duplicate',
    ])
  })

  it('counts once if another page with the same request id has one for the same campaign', async () => {
    await using site = await VisibleSite.start({
      page: adsByPath,
      options: { dedupe: { max: 1 }, requestId: (req) => String(Object(req).headers['x-id']) },
    })
    const [token = ''] = await site.fetchTokens('/1', { 'x-id': 'a' })
    await site.fetchTokens('/3', { 'x-id': 'b' })
    const [again = ''] = await site.fetchTokens('/1', { 'x-id': 'a' })

    assert.deepEqual(await reportEach(site, [token, again]), ['ens delivered', 'ens duplicate'])
  })

  it('does not count in the second after it was issued, but afterwards', async () => {
    await using site = await VisibleSite.start({ page: adsByPath })
    const early = await site.fetchTokens('/1')

    await site.sendReportNow(early)
    await site.waitForOutcomes(1)

    assert.match(site.outcomes[0]?.reason ?? '', /issued at least a second ago/)
    assert.deepEqual(await reportEach(site, early), ['ens invalid', 'ens delivered'])
  })

  it('is dropped, and none is forgotten, once as many were used as can be remembered', async () => {
    await using site = await VisibleSite.start({ page: adsByPath, options: { dedupe: { max: 1 } } })
    const tokens: string[] = []
    for (let page = 1; page <= 11; page += 1) tokens.push(...(await site.fetchTokens(`/${page}`)))

    const outcomes = await reportEach(site, [...tokens, ...tokens.slice(0, 10)])

    assert.deepEqual(outcomes, [
      ...Array(10).fill('ens delivered'),
      'ens dropped',
      ...Array(10).fill('ens duplicate'),
    ])
    assert.equal((await site.request('/99')).text, '<p >')
    assert.ok(site.outcomes.at(-1)?.reason.startsWith(REASONS.tokenOverflow))
    assert.match(site.logLines.join(), /raise dedupe\.max/)
  })

  it('of another process counts, once', async () => {
    await using one = await VisibleSite.start({ page: adsByPath })
    await using other = await VisibleSite.start()
    const [token = ''] = await one.fetchTokens('/1')

    assert.deepEqual(await reportEach(other, [token, token]), ['ens delivered', 'ens duplicate'])
  })

  it('of another process does not count if its campaign had counted there before', async () => {
    await using one = await VisibleSite.start({
      page({ trackImpression, answer }) {
        trackImpression(ensAd())
        answer(`<p ${trackImpression.whenVisible(ensAd())}>`)
      },
    })
    await using other = await VisibleSite.start()
    const tokens = await one.fetchTokens('/1')

    assert.deepEqual(await reportEach(other, tokens), ['ens duplicate'])
    assert.equal(other.tracker.stats().ens?.viewability?.viewable, 0)
  })

  for (const [where, pages] of [
    ['in the process that issued it', ['page']],
    ['when tokens of another process are reported too', ['page', 'page elsewhere']],
  ] as const) {
    it(`never counts twice ${where}, in any order of pages and reports`, async () => {
      let nowMs = Date.UTC(2026, 0, 1)
      const ttlMs = 4_000
      const time = fc.integer({ min: 0, max: 2 * ttlMs })
      const event = fc.record({
        afterMs: time,
        what: fc.constantFrom(...pages, 'report', 'report all'),
        which: fc.nat(),
      })
      const start = {
        clock: { ...systemClock, now: () => nowMs, wallNow: () => nowMs },
        page: adsByPath,
        options: {
          requestId: (req: unknown) => String(Object(req).headers['x-id']),
          dedupe: { max: 2, ttlMs },
          visibility: { secret: SECRET, tokenTtlMs: ttlMs },
        },
      }
      await using here = await VisibleSite.start(start)
      await using elsewhere = await VisibleSite.start(start)
      const counted = new Map<string, number>()
      let reported = ''
      here.tracker.on('outcome', ({ outcome }) => {
        if (outcome === 'delivered') counted.set(reported, (counted.get(reported) ?? 0) + 1)
      })
      const sites = { page: here, 'page elsewhere': elsewhere }
      const reportToHere = async (tokens: readonly string[]) => {
        for (const token of tokens) {
          reported = token
          await reportEach(here, [token])
        }
      }
      let run = 0
      /** @param tokens the tokens of the run so far, to which a page adds its own */
      const play = async ({ what, which }: ReplayEvent, tokens: string[]) => {
        if (what === 'report') return reportToHere(tokens.slice(which % tokens.length).slice(0, 1))
        if (what === 'report all') return reportToHere(tokens)
        tokens.push(...(await sites[what].fetchTokens('/1', { 'x-id': `${run}-${which % 3}` })))
      }

      await fc.assert(
        fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
          run += 1
          const tokens: string[] = []
          for (const { afterMs, ...rest } of events) {
            nowMs += Math.floor(afterMs / 3)
            await play(rest, tokens)
          }
          for (const [token, times] of counted) assert.equal(times, 1, token)
        }),
        { numRuns: 150 },
      )
      assert.ok(counted.size > 20, `only ${counted.size} counted`)
      assertBalanced(here.tracker.stats())
    })
  }

  it('is short for a typical ad of each network', async () => {
    await using site = await VisibleSite.start({
      options: {
        country: () => 'US',
        device: () => 'mobile',
        searchQuery: () => 'red running shoes',
      },
      page({ trackImpression: { whenVisible }, answer }) {
        const ens = { campaignId: 1_234_567, placement: 'article_header_banner' }
        const shortuuid = 'mhvXdrZT4jP5T8vBxuvm75'
        answer(`${whenVisible(ens)} ${whenVisible({ campaignId: shortuuid, offerId: shortuuid })}`)
      },
    })

    const lengths = findTokens((await site.request()).text).map((token) => token.length)

    assert.equal(lengths.length, 2)
    for (const length of lengths) assert.ok(length < 400, `${length} characters`)
  })
})
