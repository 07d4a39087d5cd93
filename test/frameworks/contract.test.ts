import assert from 'node:assert/strict'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { createDeferred } from '../page-load/deferred.js'
import { assertBalanced, omitZeros } from '../page-load/stats-assertions.js'
import { waitForClose } from '../page-load/wait-for-close.js'
import { FrameworkSite } from './framework-site.js'
import { FRAMEWORKS } from './frameworks.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** More than the kernel's buffers hold, so that the write stalls if the client does not read. */
const LARGE_BODY = Buffer.alloc(32 * 1_024 * 1_024, 'x')

for (const framework of FRAMEWORKS) {
  describe(`a page in ${framework.name}`, () => {
    it('has the helper, which prints nothing', async () => {
      await using site = await FrameworkSite.start(framework, ({ trackImpression, answer }) => {
        answer(`[${trackImpression(ensAd())}${trackImpression(closientAd())}]`)
      })

      assert.deepEqual(await site.client.fetchPage(), { status: 200, text: '[]' })

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
    })

    it('sends to ENS at once, before it answers', async () => {
      const answered = createDeferred()
      await using site = await FrameworkSite.start(
        framework,
        async ({ trackImpression, res, answer }) => {
          trackImpression(ensAd())
          trackImpression(closientAd())
          await answered.promise
          assert.equal(res.writableEnded, false)
          answer('a page')
        },
      )

      const response = site.client.fetchPage()
      await site.sandbox.ens.received(1)
      await site.waitForOutcomes(1)
      assert.equal(site.sandbox.closient.totals.calls, 0)
      assert.deepEqual(omitZeros(site.trackers[0]?.stats().closient), { tracked: 1, held: 1 })
      answered.resolve()

      assert.equal((await response).text, 'a page')
      await site.waitForOutcomes(2)
      assert.deepEqual(site.summaries, ['closient delivered', 'ens delivered'])
    })

    it('sends fifty ads of two searches to Closient in two calls, after it has answered', async () => {
      await using site = await FrameworkSite.start(framework, ({ trackImpression, answer }) => {
        for (let n = 0; n < 50; n += 1) {
          trackImpression({ ...closientAd(n), searchQuery: n % 2 === 0 ? 'shoes' : 'boots' })
        }
        assert.equal(site.sandbox.closient.totals.calls, 0)
        answer('a page')
      })

      await site.client.fetchPage()

      await site.waitForOutcomes(50)
      await site.closeAndSummarize()
      const { impressions, totals } = site.sandbox.closient
      assert.equal(totals.calls, 2)
      assert.equal(totals.impressions, 50)
      const queriesByCall = new Map<number, Set<string | undefined>>()
      for (const { call, searchQuery } of impressions) {
        queriesByCall.set(call, (queriesByCall.get(call) ?? new Set()).add(searchQuery))
      }
      assert.deepEqual([...queriesByCall.values()], [new Set(['shoes']), new Set(['boots'])])
    })

    it('has a unique request id, which the helper exposes', async () => {
      await using site = await FrameworkSite.start(framework, ({ trackImpression, answer }) => {
        trackImpression(ensAd())
        answer(trackImpression.requestId)
      })

      const first = await site.client.fetchPage()
      const second = await site.client.fetchPage()

      await site.waitForOutcomes(2)
      assert.match(first.text, UUID)
      assert.notEqual(first.text, second.text)
      assert.deepEqual(
        new Set(site.outcomes.map(({ requestId }) => requestId)),
        new Set([first.text, second.text]),
      )
    })

    it('can destructure the helper', async () => {
      await using site = await FrameworkSite.start(framework, (visit) => {
        const { trackImpression } = visit
        const { requestId } = trackImpression
        trackImpression.call(undefined, ensAd())
        ;[closientAd()].forEach(trackImpression)
        visit.answer(requestId)
      })

      const { text } = await site.client.fetchPage()

      await site.waitForOutcomes(2)
      assert.deepEqual(site.summaries, ['closient delivered', 'ens delivered'])
      assert.equal(site.outcomes[0]?.requestId, text)
    })

    it('has a new helper for every response', async () => {
      const helpers = new Set<unknown>()
      await using site = await FrameworkSite.start(framework, ({ trackImpression, answer }) => {
        helpers.add(trackImpression)
        answer('a page')
      })

      await site.client.fetchPage()
      await site.client.fetchPage()

      assert.equal(helpers.size, 2)
    })

    it("passes the framework's request to the options' functions", async () => {
      const sources: unknown[] = []
      const received: Record<string, unknown> = {}
      const recordSource =
        <Result>(option: string, result: Result) =>
        (source: unknown): Result => {
          received[option] = source
          return result
        }
      const functions = {
        requestId: recordSource('requestId', 'an-id'),
        country: recordSource('country', 'NZ'),
        device: recordSource('device', 'tablet' as const),
        searchQuery: recordSource('searchQuery', 'shoes'),
        consent: recordSource('consent', true),
        traffic: { bots: recordSource('bots', false) },
      }
      await using site = await FrameworkSite.start(
        framework,
        ({ trackImpression, source, answer }) => {
          sources.push(source)
          trackImpression(ensAd())
          trackImpression(closientAd())
          answer(trackImpression.requestId)
        },
        { options: [functions] },
      )

      assert.equal((await site.client.fetchPage()).text, 'an-id')

      await site.waitForOutcomes(2)
      for (const [option, source] of Object.entries(received)) {
        assert.ok(sources.length === 1 && source === sources[0], option)
      }
      assert.equal(Object.keys(received).length, 6)
      const [impression] = site.sandbox.ens.impressions
      assert.deepEqual([impression?.location, impression?.device], ['NZ', 'tablet'])
      assert.equal(site.sandbox.closient.impressions[0]?.searchQuery, 'shoes')
    })

    it('is suppressed when it redirects', async () => {
      await using site = await FrameworkSite.start(framework, ({ trackImpression, redirect }) => {
        trackImpression(closientAd())
        redirect()
        trackImpression(ensAd())
      })

      assert.equal((await site.client.fetchPage()).status, 302)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient suppressed: redirect',
        'ens suppressed: redirect',
      ])
    })

    it('is suppressed when it fails', async () => {
      await using site = await FrameworkSite.start(framework, ({ trackImpression }) => {
        trackImpression(closientAd())
        throw new Error('a page that fails')
      })

      assert.equal((await site.client.fetchPage()).status, 500)

      await site.waitForOutcomes(1)
      assert.deepEqual(await site.closeAndSummarize(), ['closient suppressed: server-error'])
    })

    it('is suppressed when the client disconnects in the middle of the body', async () => {
      await using site = await FrameworkSite.start(framework, ({ trackImpression, answer }) => {
        trackImpression(ensAd())
        trackImpression(closientAd())
        answer(LARGE_BODY)
      })

      const request = await site.client.startPage()
      await request.disconnect()

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient suppressed: aborted',
        'ens delivered',
      ])
    })

    it('is suppressed when the client has already disconnected', async () => {
      const tracked = createDeferred()
      await using site = await FrameworkSite.start(
        framework,
        async ({ trackImpression, res, answer }) => {
          res.write('the first half')
          await waitForClose(res)
          trackImpression(ensAd())
          trackImpression(closientAd())
          tracked.resolve()
          answer('the second half')
        },
      )

      const request = await site.client.startPage()
      await request.disconnect()

      await tracked.promise
      assert.deepEqual(await site.closeAndSummarize(), [
        'closient suppressed: aborted',
        'ens suppressed: aborted',
      ])
    })

    it('sends impressions tracked after the answer at once', async () => {
      const tracked = createDeferred()
      await using site = await FrameworkSite.start(
        framework,
        ({ trackImpression, res, answer }) => {
          trackImpression(closientAd(1))
          answer('a page')
          res.once('close', () => {
            trackImpression(ensAd())
            trackImpression(closientAd(2))
            tracked.resolve()
          })
        },
      )

      await site.client.fetchPage()

      await tracked.promise
      assert.equal(site.trackers[0]?.stats().closient?.held, 0)
      await site.waitForOutcomes(3)
      assert.deepEqual(site.summaries, [
        'closient delivered',
        'closient delivered',
        'ens delivered',
      ])
    })
  })

  describe(`the middleware in ${framework.name}`, () => {
    const LAYERS = [
      ['twice on the app', ['app', 'app']],
      ['on the app and its part', ['app', 'part']],
      ['twice on the part', ['part', 'part']],
    ] as const
    const COUNTED = ['closient delivered', 'ens delivered']

    for (const [where, targets] of LAYERS) {
      it(`counts once when it is mounted ${where}`, async () => {
        await using site = await FrameworkSite.start(
          framework,
          ({ trackImpression, answer }) => {
            trackImpression(ensAd())
            trackImpression(closientAd())
            answer('a page')
          },
          { layers: targets.map((target) => ({ optionsIndex: 0, target })) },
        )

        await site.client.fetchPage()

        await site.waitForOutcomes(2)
        assert.deepEqual(await site.closeAndSummarize(), COUNTED)
      })

      if (!framework.hasMiddleware) continue

      it(`counts once when those of two trackers are mounted ${where}`, async () => {
        await using site = await FrameworkSite.start(
          framework,
          ({ trackImpression, answer }) => {
            trackImpression(ensAd())
            trackImpression(closientAd())
            answer('a page')
          },
          {
            options: [{}, {}],
            layers: targets.map((target, optionsIndex) => ({ optionsIndex, target })),
          },
        )

        await site.client.fetchPage()

        await site.waitForOutcomes(2)
        assert.deepEqual(await site.closeAndSummarize(), COUNTED)
        const second = site.trackers[1]?.stats() ?? {}
        assertBalanced(second)
        assert.deepEqual(omitZeros(second.ens), {}, 'only the first one counts')
        assert.equal(site.sandbox.ens.totals.impressions, 1)
        assert.equal(site.sandbox.closient.totals.impressions, 1)
      })
    }
  })
}
