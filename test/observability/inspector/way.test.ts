import assert from 'node:assert/strict'
import type { TrackerOptions } from '../../../lib/options.js'
import type { FrameworkPage } from '../../frameworks/framework.js'
import { closientAd, ensAd } from '../../page-load/campaigns.js'
import { createDeferred } from '../../page-load/deferred.js'
import { BOT_HEADERS } from '../../page-load/fetch-page.js'
import { findTokens, type VisibleSite } from '../../visibility/visible-site.js'
import { describeLatest, readInspector, startInspectedSite } from './inspected-site.js'

const ensPage: FrameworkPage = ({ trackImpression, answer }) => {
  trackImpression(ensAd())
  answer('a page')
}

/** A way that ends with the first outcome of a page with one ENS ad. */
interface Ending {
  readonly what: string
  readonly shown: string
  readonly reason: RegExp
  readonly page?: FrameworkPage
  readonly headers?: Readonly<Record<string, string>>
  readonly options?: TrackerOptions<unknown>
  readonly prepare?: (site: VisibleSite) => unknown
}

const ENDINGS: readonly Ending[] = [
  {
    what: 'delivered',
    shown: 'ens delivered: passed at verdict',
    reason: /^http-200: the network accepted it$/,
  },
  {
    what: 'rejected',
    shown: 'ens rejected: stopped at verdict',
    reason: /^http-400: no such campaign$/,
    prepare: (site) =>
      site.sandbox.ens.fault({
        status: 400,
        body: { status: 'error', message: 'no such campaign' },
      }),
  },
  {
    what: 'uncertain',
    shown: 'ens uncertain: unclear at verdict',
    reason: /^reset: /,
    prepare: (site) => site.sandbox.ens.fault({ reset: 'after-read' }),
  },
  {
    what: 'suppressed because of its request',
    shown: 'ens suppressed: stopped at admit',
    reason: /^bot: the request looks like a bot's/,
    headers: BOT_HEADERS,
  },
  {
    what: 'suppressed because of its response',
    shown: 'closient suppressed: stopped at admit',
    reason: /^server-error: /,
    page({ trackImpression, res, answer }) {
      trackImpression(closientAd())
      res.statusCode = 500
      answer('failed')
    },
  },
  {
    what: 'without a campaign',
    shown: 'ens invalid: stopped at parse',
    reason: /^invalid-input: campaignId: expected a positive integer, got a string$/,
    page({ trackImpression, answer }) {
      Reflect.apply(trackImpression, undefined, [
        { campaignId: 'x', placement: 'top', network: 'ens' },
      ])
      answer('a page')
    },
  },
  {
    what: 'dropped after close()',
    shown: 'ens dropped: stopped at admit',
    reason: /^closed: it was tracked after close\(\)/,
    prepare: (site) => site.tracker.close(),
  },
]

describe("the way of an impression on the inspector's page", () => {
  for (const { what, shown, reason, page = ensPage, headers, options, prepare } of ENDINGS) {
    it(`ends where it should if it is ${what}`, async () => {
      await using site = await startInspectedSite({ page, ...(options && { options }) })
      await prepare?.(site)
      await site.request('/', headers)
      await site.waitForOutcomes(1)

      const data = await readInspector(site)

      assert.deepEqual(describeLatest(data), [shown])
      assert.match(data.pageLoads[0]?.impressions[0]?.reason ?? '', reason)
    })
  }

  it('stops at dedupe if its campaign has counted', async () => {
    await using site = await startInspectedSite({
      page({ trackImpression, answer }) {
        trackImpression(ensAd())
        trackImpression(ensAd())
        answer('a page')
      },
    })
    await site.request()
    await site.waitForOutcomes(2)
    assert.deepEqual(describeLatest(await readInspector(site)), [
      'ens delivered: passed at verdict',
      'ens duplicate: stopped at dedupe',
    ])
  })

  it('waits for its response, then for its call', async () => {
    const answered = createDeferred()
    const isTracked = createDeferred()
    await using site = await startInspectedSite({
      async page({ trackImpression, answer }) {
        trackImpression(closientAd())
        isTracked.resolve()
        await answered.promise
        answer('a page')
      },
    })
    await site.sandbox.closient.fault({ hang: true })
    const response = site.request()
    await isTracked.promise
    assert.deepEqual(describeLatest(await readInspector(site)), ['closient held: waiting at admit'])

    answered.resolve()
    await response
    await site.sandbox.closient.received(1)

    assert.deepEqual(describeLatest(await readInspector(site)), [
      'closient pending: waiting at verdict',
    ])
  })

  it('waits to be sent while the network cannot be reached, which its health explains', async () => {
    await using site = await startInspectedSite({ page: ensPage })
    await site.sandbox.refuse()
    await site.request()
    while ((await readInspector(site)).networks[0]?.status === 'ok') await nextTurn()

    const { networks, pageLoads } = await readInspector(site)

    assert.equal(pageLoads[0]?.impressions[0]?.state, 'pending')
    assert.match(networks[0]?.reason ?? '', /^unreachable: /)
  })

  it('goes on from the page to the report of a visible ad', async () => {
    await using site = await startInspectedSite()
    const { text } = await site.request('/news')
    assert.deepEqual(describeLatest(await readInspector(site)), [
      'ens issued: waiting at admit',
      'closient issued: waiting at admit',
    ])

    await site.sendReport(findTokens(text))
    await site.waitForOutcomes(2)

    const data = await readInspector(site)
    assert.deepEqual(
      data.pageLoads.map(({ page }) => page),
      ['GET /news'],
    )
    assert.deepEqual(describeLatest(data), [
      'ens delivered: passed at verdict',
      'closient delivered: passed at verdict',
    ])
  })

  it('shows the quota that is left', async () => {
    await using site = await startInspectedSite({
      page({ trackImpression, answer }) {
        trackImpression(closientAd())
        answer('a page')
      },
    })
    await site.request()
    await site.waitForOutcomes(1)
    const closient = (await readInspector(site)).networks.find(({ name }) => name === 'closient')
    assert.deepEqual(
      closient?.quota?.map(({ limit, remaining }) => [limit, remaining]),
      [
        [300, 299],
        [10_000, 9_999],
      ],
    )
  })
})

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
