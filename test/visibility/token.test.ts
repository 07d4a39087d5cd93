import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Clock, systemClock } from '../../lib/clock.js'
import { closient } from '../../lib/networks/closient.js'
import { assertBalanced, nonZero } from '../page-load/books.js'
import { adsByPath, SECRET, tokensIn, VisibleSite } from './visible-site.js'

const MINUTE_MS = 60_000
const OTHER_SECRET = 'another-secret-of-this-test-9876543210'

/** The system's clock, put forward. */
function clockAhead(): Clock & { aheadMs: number } {
  const now = () => Date.now() + clock.aheadMs
  const clock = { ...systemClock, aheadMs: 0, now, wallNow: now }
  return clock
}

/** What became of these tokens, each reported by itself, in order. */
async function fatesOf(site: VisibleSite, tokens: readonly string[]): Promise<string[]> {
  for (const token of tokens) {
    const before = site.outcomes.length
    await site.report([token])
    await site.whenTold(before + 1)
  }
  return site.outcomes.map(({ network, outcome }) => `${network} ${outcome}`)
}

describe('a token', () => {
  it('that differs in one character from a real one counts nothing', async () => {
    await using site = await VisibleSite.start()
    const [token = ''] = await site.tokens()
    const character = fc.constantFrom(
      ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= "\0é',
    )
    const isForged = async (at: number, other: string) => {
      fc.pre(other !== token[at])
      await site.report([`${token.slice(0, at)}${other}${token.slice(at + 1)}`])
      assert.deepEqual(nonZero(site.tracker.stats().ens), {})
    }

    const anywhere = fc.nat(token.length - 1)
    await fc.assert(fc.asyncProperty(anywhere, character, isForged), { numRuns: 300 })
    // Of the last one two bits are no part of the signature.
    for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      if (other !== token.at(-1)) await isForged(token.length - 1, other)
    }

    assert.deepEqual(await fatesOf(site, [token]).then((fates) => fates.at(-1)), 'ens delivered')
  })

  it('that is cut short, lengthened, or put together from two counts nothing', async () => {
    await using site = await VisibleSite.start()
    const [ens = '', other = ''] = await site.tokens()
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

    for (const token of forged) await site.report([token])

    assert.deepEqual(await site.settled(), Array(forged.length).fill('unknown invalid'))
  })

  it('of another site, signed with another secret, counts nothing', async () => {
    await using site = await VisibleSite.start()
    await using other = await VisibleSite.start({
      options: { visibility: { secret: OTHER_SECRET } },
    })

    assert.deepEqual(await fatesOf(site, await other.tokens('/')), [
      'unknown invalid',
      'unknown invalid',
    ])
  })

  it('for a network that this site does not tell counts nothing', async () => {
    await using site = await VisibleSite.start()
    await using other = await VisibleSite.start({
      options: {
        networks: [closient({ apiKey: 'csb_key', baseUrl: site.sandbox.closient.baseUrl })],
      },
    })

    assert.deepEqual(await fatesOf(other, (await site.tokens()).slice(0, 1)), ['unknown invalid'])
  })

  describe('where the secret is replaced', () => {
    const both = { visibility: { secret: [OTHER_SECRET, SECRET] } }

    it('counts if the old one has signed it', async () => {
      await using site = await VisibleSite.start({ options: both })
      await using before = await VisibleSite.start({ page: adsByPath })

      assert.deepEqual(await fatesOf(site, await before.tokens('/1')), ['ens delivered'])
    })

    it('is signed with the new one', async () => {
      await using site = await VisibleSite.start({ page: adsByPath, options: both })
      await using after = await VisibleSite.start({
        options: { visibility: { secret: OTHER_SECRET } },
      })

      assert.deepEqual(await fatesOf(after, await site.tokens('/1')), ['ens delivered'])
    })

    it('counts nothing once the old one that has signed it is dropped', async () => {
      await using before = await VisibleSite.start({ page: adsByPath })
      await using after = await VisibleSite.start({
        options: { visibility: { secret: [OTHER_SECRET] } },
      })

      assert.deepEqual(await fatesOf(after, await before.tokens('/1')), ['unknown invalid'])
    })
  })

  it('counts until it expires, and not after', async () => {
    const clock = clockAhead()
    const visibility = { secret: SECRET, tokenTtlMs: MINUTE_MS }
    await using site = await VisibleSite.start({ clock, page: adsByPath, options: { visibility } })
    const [first = '', second = ''] = await site.tokens('/1/2')

    clock.aheadMs = MINUTE_MS - 5_000
    const early = await fatesOf(site, [first])
    clock.aheadMs = MINUTE_MS
    const late = await fatesOf(site, [second])

    assert.deepEqual(early, ['ens delivered'])
    assert.deepEqual(late, ['ens delivered', 'ens invalid'])
    assert.match(site.outcomes.at(-1)?.reason ?? '', /one that has not expired/)
  })

  it('counts nothing once its page load is forgotten, for it may have counted', async () => {
    await using site = await VisibleSite.start({
      page: adsByPath,
      options: { dedupe: { max: 1 } },
    })
    const [token = '', unseen = ''] = await site.tokens('/1/2')
    await site.report([token])
    await site.tokens('/3')

    assert.deepEqual(await fatesOf(site, [token, unseen]), [
      'ens delivered',
      'ens invalid',
      'ens invalid',
    ])
  })

  it('counts nothing once its page load is forgotten, though another request bears its id', async () => {
    await using site = await VisibleSite.start({
      page: adsByPath,
      options: { dedupe: { max: 1 }, requestId: (req) => String(Object(req).headers['x-id']) },
    })
    const [token = ''] = await site.tokens('/1', { 'x-id': 'a' })
    await site.report([token])
    await site.tokens('/3', { 'x-id': 'b' })
    const [again = ''] = await site.tokens('/2', { 'x-id': 'a' })

    assert.deepEqual(await fatesOf(site, [token, again]), [
      'ens delivered',
      'ens invalid',
      'ens delivered',
    ])
  })

  it('of another process counts, and once', async () => {
    await using one = await VisibleSite.start({ page: adsByPath })
    await using other = await VisibleSite.start()
    const [token = ''] = await one.tokens('/1')

    assert.deepEqual(await fatesOf(other, [token, token]), ['ens delivered', 'ens duplicate'])
  })

  for (const [where, max, pages] of [
    ['where it was issued, though page loads are forgotten', 2, ['page']],
    // Of another process's page load that it has forgotten a process cannot know that it had it.
    ['where tokens of another process are reported too', 3, ['page', 'page elsewhere']],
  ] as const) {
    it(`never counts twice ${where}, whenever it and its page come`, async () => {
      let nowMs = Date.UTC(2026, 0, 1)
      const ttlMs = 1_000
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
          dedupe: { max, ttlMs },
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
      let run = 0

      await fc.assert(
        fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
          run += 1
          const tokens: string[] = []
          for (const { afterMs, what, which } of events) {
            nowMs += Math.floor(afterMs / 3)
            if (what.startsWith('page')) {
              const site = what === 'page' ? here : elsewhere
              const id = `${run}-${which % 3}`
              tokens.push(...(await site.tokens('/1', { 'x-id': id })))
              continue
            }
            const one = tokens[which % tokens.length]
            for (const token of what === 'report' ? [one] : tokens) {
              if (token === undefined) continue
              reported = token
              const before = here.outcomes.length
              await here.report([token])
              await here.whenTold(before + 1)
            }
          }
          for (const [token, times] of counted) assert.equal(times, 1, token)
        }),
        { numRuns: 150 },
      )
      assert.ok(counted.size > 20, `${counted.size} have counted`)
      assertBalanced(here.tracker.stats())
    })
  }

  it('is short for a usual ad of each network', async () => {
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

    const lengths = tokensIn((await site.ask()).text).map((token) => token.length)

    assert.equal(lengths.length, 2)
    for (const length of lengths) assert.ok(length < 400, `${length} characters`)
  })
})
