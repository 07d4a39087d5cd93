import assert from 'node:assert/strict'
import type { TrackerOptions } from '../../lib/options.js'
import { closientAd, ensAd } from './campaigns.js'
import { BOT_HEADERS, BROWSER_HEADERS, fetchPage } from './fetch-page.js'
import { type Page, Publisher } from './publisher.js'

const renderAds: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.end()
}

async function summarizeVisit(
  headers: Readonly<Record<string, string>>,
  options: TrackerOptions = {},
): Promise<string[]> {
  await using site = await Publisher.start(renderAds, options)
  await fetchPage(site.url, { headers })
  await site.waitForOutcomes(2)
  return site.closeAndSummarize()
}

const COUNTED = ['closient delivered', 'ens delivered']
const suppressedAs = (reason: string) => [
  `closient suppressed: ${reason}`,
  `ens suppressed: ${reason}`,
]

const SPECULATIVE: readonly Readonly<Record<string, string>>[] = [
  { 'sec-purpose': 'prefetch' },
  { 'sec-purpose': 'prefetch;prerender' },
  { 'sec-purpose': 'prefetch;anonymous-client-ip' },
  { purpose: 'prefetch' },
  { 'x-purpose': 'preview' },
  { 'x-moz': 'prefetch' },
]

describe('a bot', () => {
  it('is suppressed', async () => {
    assert.deepEqual(await summarizeVisit(BOT_HEADERS), suppressedAs('bot'))
  })

  it("counts with the option set to 'count'", async () => {
    assert.deepEqual(await summarizeVisit(BOT_HEADERS, { traffic: { bots: 'count' } }), COUNTED)
  })
})

describe('a speculative load', () => {
  for (const headers of SPECULATIVE) {
    it(`is suppressed: ${JSON.stringify(headers)}`, async () => {
      assert.deepEqual(await summarizeVisit(headers), suppressedAs('prefetch'))
    })
  }

  it("counts with the option set to 'count'", async () => {
    assert.deepEqual(
      await summarizeVisit({ 'sec-purpose': 'prefetch' }, { traffic: { prefetch: 'count' } }),
      COUNTED,
    )
  })

  it('of a bot is suppressed even if speculative loads count', async () => {
    assert.deepEqual(
      await summarizeVisit(
        { ...BOT_HEADERS, 'sec-purpose': 'prefetch' },
        { traffic: { prefetch: 'count' } },
      ),
      suppressedAs('bot'),
    )
  })

  it('does not prevent the campaign from counting when the page is displayed', async () => {
    await using site = await Publisher.start(renderAds, { requestId: () => 'the-same-page-load' })

    await fetchPage(site.url, { headers: { 'sec-purpose': 'prefetch' } })
    await fetchPage(site.url)

    await site.waitForOutcomes(4)
    assert.deepEqual(
      await site.closeAndSummarize(),
      [...COUNTED, ...suppressedAs('prefetch')].sort(),
    )
  })
})

describe('consent', () => {
  it('that is given makes impressions count', async () => {
    assert.deepEqual(await summarizeVisit(BROWSER_HEADERS, { consent: () => true }), COUNTED)
  })

  it('that is refused suppresses impressions', async () => {
    assert.deepEqual(
      await summarizeVisit(BROWSER_HEADERS, { consent: () => false }),
      suppressedAs('no-consent'),
    )
  })

  const invalidResults: Readonly<Record<string, () => unknown>> = {
    'a promise of true': () => Promise.resolve(true),
    'the string "true"': () => 'true',
    '1': () => 1,
    'an object': () => ({}),
    undefined: () => undefined,
    null: () => null,
    'a thrown error': () => {
      throw new Error('no consent service')
    },
  }
  for (const [name, consent] of Object.entries(invalidResults)) {
    it(`that is ${name} counts as refused, and one message names the option`, async () => {
      await using site = await Publisher.start(renderAds, { consent: consent as () => boolean })

      await fetchPage(site.url)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), suppressedAs('no-consent'))
      const [first = '', ...more] = site.lines
      assert.match(first, /the option consent/)
      assert.deepEqual(
        more.filter((line) => !line.includes('does not count: no-consent: ')),
        [],
      )
    })
  }

  it('is requested once per page load, and only if something is tracked', async () => {
    const requestedUrls: (string | undefined)[] = []
    await using site = await Publisher.start(
      (visit) => {
        if (visit.req.url === '/plain') visit.res.end()
        else return renderAds(visit)
      },
      {
        consent: (req) => {
          requestedUrls.push(req.url)
          return true
        },
      },
    )

    for (const path of ['/ads', '/plain', '/ads']) await fetchPage(new URL(path, site.url).href)

    await site.waitForOutcomes(4)
    assert.deepEqual(requestedUrls, ['/ads', '/ads'])
  })

  it('is not requested if nothing is displayed anyway', async () => {
    let calls = 0
    await using site = await Publisher.start(renderAds, {
      consent: () => {
        calls += 1
        return true
      },
    })

    await fetchPage(site.url, { method: 'HEAD' })
    await fetchPage(site.url, { headers: BOT_HEADERS })
    await fetchPage(site.url, { headers: { 'sec-purpose': 'prefetch' } })

    await site.waitForOutcomes(6)
    assert.equal(calls, 0)
  })

  it('that is given later makes the same campaign of the page load count', async () => {
    let hasConsented = false
    await using site = await Publisher.start(renderAds, {
      requestId: () => 'the-same-page-load',
      consent: () => hasConsented,
    })

    await fetchPage(site.url)
    hasConsented = true
    await fetchPage(site.url)

    await site.waitForOutcomes(4)
    assert.deepEqual(
      await site.closeAndSummarize(),
      [...COUNTED, ...suppressedAs('no-consent')].sort(),
    )
  })

  it('and the other functions and the logger see stats that balance', async () => {
    const checkStats = (value: unknown) => {
      if (site) site.assertStatsBalanced()
      return value
    }
    let site: Publisher | undefined
    const options = {
      consent: () => checkStats(true),
      requestId: () => checkStats('an id'),
      country: () => checkStats('US'),
      device: () => checkStats('mobile'),
      searchQuery: () => checkStats('shoes'),
      logger: { debug: checkStats, warn: checkStats, error: checkStats },
    }
    await using started = await Publisher.start(({ res, trackImpression }) => {
      res.setHeader('cache-control', 'public')
      trackImpression(ensAd())
      trackImpression(closientAd())
      trackImpression({ ...ensAd(), placement: '' })
      trackImpression(closientAd())
      res.end()
    }, options as TrackerOptions)
    site = started

    await fetchPage(site.url)

    await site.waitForOutcomes(4)
    assert.deepEqual(
      await site.closeAndSummarize(),
      [...COUNTED, 'closient duplicate', 'ens invalid'].sort(),
    )
  })
})
