import assert from 'node:assert/strict'
import type { TrackerOptions } from '../../lib/options.js'
import { closientAd, ensAd } from './campaigns.js'
import { BOT_HEADERS, BROWSER_HEADERS, fetchPage } from './fetch-page.js'
import { type Page, Publisher } from './publisher.js'

const show: Page = ({ res, trackImpression }) => {
  trackImpression(ensAd())
  trackImpression(closientAd())
  res.end()
}

async function outcomesOf(
  headers: Readonly<Record<string, string>>,
  options: TrackerOptions = {},
): Promise<string[]> {
  await using site = await Publisher.start(show, options)
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

describe('a robot', () => {
  it('is shown no ads', async () => {
    assert.deepEqual(await outcomesOf(BOT_HEADERS), suppressedAs('bot'))
  })

  it('counts if the option says so', async () => {
    assert.deepEqual(await outcomesOf(BOT_HEADERS, { traffic: { bots: 'count' } }), COUNTED)
  })
})

describe('a speculative load', () => {
  for (const headers of SPECULATIVE) {
    it(`displays nothing yet: ${JSON.stringify(headers)}`, async () => {
      assert.deepEqual(await outcomesOf(headers), suppressedAs('prefetch'))
    })
  }

  it('counts if the option says so', async () => {
    assert.deepEqual(
      await outcomesOf({ 'sec-purpose': 'prefetch' }, { traffic: { prefetch: 'count' } }),
      COUNTED,
    )
  })

  it('of a robot is not counted by counting speculative loads', async () => {
    assert.deepEqual(
      await outcomesOf(
        { ...BOT_HEADERS, 'sec-purpose': 'prefetch' },
        { traffic: { prefetch: 'count' } },
      ),
      suppressedAs('bot'),
    )
  })

  it('leaves the campaign to the page load that is looked at', async () => {
    await using site = await Publisher.start(show, { requestId: () => 'the-same-page-load' })

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
  it('given, counts', async () => {
    assert.deepEqual(await outcomesOf(BROWSER_HEADERS, { consent: () => true }), COUNTED)
  })

  it('refused, counts nothing', async () => {
    assert.deepEqual(
      await outcomesOf(BROWSER_HEADERS, { consent: () => false }),
      suppressedAs('no-consent'),
    )
  })

  const unclear: Readonly<Record<string, () => unknown>> = {
    'a promise of true': () => Promise.resolve(true),
    'the string "true"': () => 'true',
    '1': () => 1,
    'an object': () => ({}),
    nothing: () => undefined,
    null: () => null,
    thrown: () => {
      throw new Error('no consent service')
    },
  }
  for (const [what, consent] of Object.entries(unclear)) {
    it(`that is ${what} is a no, and one line of the log says so`, async () => {
      await using site = await Publisher.start(show, { consent: consent as () => boolean })

      await fetchPage(site.url)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), suppressedAs('no-consent'))
      assert.equal(site.lines.length, 1, site.lines.join('\n'))
      assert.match(site.lines[0] ?? '', /consent/)
    })
  }

  it('is asked once per page load, and only where something is tracked', async () => {
    const asked: (string | undefined)[] = []
    await using site = await Publisher.start(
      (visit) => {
        if (visit.req.url === '/plain') visit.res.end()
        else return show(visit)
      },
      {
        consent: (req) => {
          asked.push(req.url)
          return true
        },
      },
    )

    for (const path of ['/ads', '/plain', '/ads']) await fetchPage(new URL(path, site.url).href)

    await site.waitForOutcomes(4)
    assert.deepEqual(asked, ['/ads', '/ads'])
  })

  it('is not asked where nothing is displayed anyway', async () => {
    let asked = 0
    await using site = await Publisher.start(show, {
      consent: () => {
        asked += 1
        return true
      },
    })

    await fetchPage(site.url, { method: 'HEAD' })
    await fetchPage(site.url, { headers: BOT_HEADERS })
    await fetchPage(site.url, { headers: { 'sec-purpose': 'prefetch' } })

    await site.waitForOutcomes(6)
    assert.equal(asked, 0)
  })

  it('that is withdrawn leaves the campaign to a page load with consent', async () => {
    let hasConsented = false
    await using site = await Publisher.start(show, {
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

  it('reads books that balance, and so do the other functions and the logger', async () => {
    const read = (value: unknown) => {
      if (site) site.assertStatsBalanced()
      return value
    }
    let site: Publisher | undefined
    const options = {
      consent: () => read(true),
      requestId: () => read('an id'),
      country: () => read('US'),
      device: () => read('mobile'),
      searchQuery: () => read('shoes'),
      logger: { debug: read, warn: read, error: read },
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
