import assert from 'node:assert/strict'
import { assertBalanced, nonZero } from '../page-load/books.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { closing, gate } from '../page-load/gate.js'
import { FRAMEWORKS } from './frameworks.js'
import { Site } from './site.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MORE_THAN_BUFFERS_HOLD = Buffer.alloc(32 * 1_024 * 1_024, 'x')

for (const framework of FRAMEWORKS) {
  describe(`a page in ${framework.name}`, () => {
    it('has the helper, which prints nothing', async () => {
      await using site = await Site.start(framework, ({ trackImpression, answer }) => {
        answer(`[${trackImpression(ensAd())}${trackImpression(closientAd())}]`)
      })

      assert.deepEqual(await site.client.view(), { status: 200, text: '[]' })

      await site.whenTold(2)
      assert.deepEqual(await site.settled(), ['closient delivered', 'ens delivered'])
    })

    it('tells ENS at once, before it has answered', async () => {
      const answered = gate()
      await using site = await Site.start(framework, async ({ trackImpression, res, answer }) => {
        trackImpression(ensAd())
        trackImpression(closientAd())
        await answered.opened
        assert.equal(res.writableEnded, false)
        answer('a page')
      })

      const viewed = site.client.view()
      await site.sandbox.ens.received(1)
      await site.whenTold(1)
      assert.equal(site.sandbox.closient.totals.calls, 0)
      assert.deepEqual(nonZero(site.trackers[0]?.stats().closient), { tracked: 1, held: 1 })
      answered.open()

      assert.equal((await viewed).text, 'a page')
      await site.whenTold(2)
      assert.deepEqual(site.told, ['closient delivered', 'ens delivered'])
    })

    it('tells Closient of fifty ads of two searches in two calls, once it has answered', async () => {
      await using site = await Site.start(framework, ({ trackImpression, answer }) => {
        for (let n = 0; n < 50; n += 1) {
          trackImpression({ ...closientAd(n), searchQuery: n % 2 === 0 ? 'shoes' : 'boots' })
        }
        assert.equal(site.sandbox.closient.totals.calls, 0)
        answer('a page')
      })

      await site.client.view()

      await site.whenTold(50)
      await site.settled()
      const { impressions, totals } = site.sandbox.closient
      assert.equal(totals.calls, 2)
      assert.equal(totals.impressions, 50)
      const queriesByCall = new Map<number, Set<string | undefined>>()
      for (const { call, searchQuery } of impressions) {
        queriesByCall.set(call, (queriesByCall.get(call) ?? new Set()).add(searchQuery))
      }
      assert.deepEqual([...queriesByCall.values()], [new Set(['shoes']), new Set(['boots'])])
    })

    it('has a request id of its own, which the helper tells', async () => {
      await using site = await Site.start(framework, ({ trackImpression, answer }) => {
        trackImpression(ensAd())
        answer(trackImpression.requestId)
      })

      const first = await site.client.view()
      const second = await site.client.view()

      await site.whenTold(2)
      assert.match(first.text, UUID)
      assert.notEqual(first.text, second.text)
      assert.deepEqual(
        new Set(site.outcomes.map(({ requestId }) => requestId)),
        new Set([first.text, second.text]),
      )
    })

    it('may take the helper apart', async () => {
      await using site = await Site.start(framework, (visit) => {
        const { trackImpression } = visit
        const { requestId } = trackImpression
        trackImpression.call(undefined, ensAd())
        ;[closientAd()].forEach(trackImpression)
        visit.answer(requestId)
      })

      const { text } = await site.client.view()

      await site.whenTold(2)
      assert.deepEqual(site.told, ['closient delivered', 'ens delivered'])
      assert.equal(site.outcomes[0]?.requestId, text)
    })

    it('has another helper for every response', async () => {
      const helpers = new Set<unknown>()
      await using site = await Site.start(framework, ({ trackImpression, answer }) => {
        helpers.add(trackImpression)
        answer('a page')
      })

      await site.client.view()
      await site.client.view()

      assert.equal(helpers.size, 2)
    })

    it('hands its own kind of request to the options’ functions', async () => {
      const own: unknown[] = []
      const asked: Record<string, unknown> = {}
      const ask =
        <Answer>(option: string, answer: Answer) =>
        (source: unknown): Answer => {
          asked[option] = source
          return answer
        }
      const functions = {
        requestId: ask('requestId', 'an-id'),
        country: ask('country', 'NZ'),
        device: ask('device', 'tablet' as const),
        searchQuery: ask('searchQuery', 'shoes'),
        consent: ask('consent', true),
        traffic: { bots: ask('bots', false) },
      }
      await using site = await Site.start(
        framework,
        ({ trackImpression, source, answer }) => {
          own.push(source)
          trackImpression(ensAd())
          trackImpression(closientAd())
          answer(trackImpression.requestId)
        },
        { options: [functions] },
      )

      assert.equal((await site.client.view()).text, 'an-id')

      await site.whenTold(2)
      for (const [option, source] of Object.entries(asked)) {
        assert.ok(own.length === 1 && source === own[0], option)
      }
      assert.equal(Object.keys(asked).length, 6)
      const [told] = site.sandbox.ens.impressions
      assert.deepEqual([told?.location, told?.device], ['NZ', 'tablet'])
      assert.equal(site.sandbox.closient.impressions[0]?.searchQuery, 'shoes')
    })

    it('displays nothing when it redirects', async () => {
      await using site = await Site.start(framework, ({ trackImpression, redirect }) => {
        trackImpression(closientAd())
        redirect()
        trackImpression(ensAd())
      })

      assert.equal((await site.client.view()).status, 302)

      await site.whenTold(2)
      assert.deepEqual(await site.settled(), [
        'closient suppressed: redirect',
        'ens suppressed: redirect',
      ])
    })

    it('displays nothing when it fails', async () => {
      await using site = await Site.start(framework, ({ trackImpression }) => {
        trackImpression(closientAd())
        throw new Error('a page that fails')
      })

      assert.equal((await site.client.view()).status, 500)

      await site.whenTold(1)
      assert.deepEqual(await site.settled(), ['closient suppressed: server-error'])
    })

    it('displays nothing to a viewer who leaves in the middle of it', async () => {
      await using site = await Site.start(framework, ({ trackImpression, answer }) => {
        trackImpression(ensAd())
        trackImpression(closientAd())
        answer(MORE_THAN_BUFFERS_HOLD)
      })

      const begun = await site.client.begin()
      await begun.leave()

      await site.whenTold(2)
      assert.deepEqual(await site.settled(), ['closient suppressed: aborted', 'ens delivered'])
    })

    it('displays nothing to a viewer who has left', async () => {
      const tracked = gate()
      await using site = await Site.start(framework, async ({ trackImpression, res, answer }) => {
        res.write('the first half')
        await closing(res)
        trackImpression(ensAd())
        trackImpression(closientAd())
        tracked.open()
        answer('the second half')
      })

      const begun = await site.client.begin()
      await begun.leave()

      await tracked.opened
      assert.deepEqual(await site.settled(), [
        'closient suppressed: aborted',
        'ens suppressed: aborted',
      ])
    })

    it('sends at once what it tracks after it has answered', async () => {
      const tracked = gate()
      await using site = await Site.start(framework, ({ trackImpression, res, answer }) => {
        trackImpression(closientAd(1))
        answer('a page')
        res.once('close', () => {
          trackImpression(ensAd())
          trackImpression(closientAd(2))
          tracked.open()
        })
      })

      await site.client.view()

      await tracked.opened
      assert.equal(site.trackers[0]?.stats().closient?.held, 0)
      await site.whenTold(3)
      assert.deepEqual(site.told, ['closient delivered', 'closient delivered', 'ens delivered'])
    })
  })

  describe(`the middleware in ${framework.name}`, () => {
    const LAYERS = [
      ['twice on the app', ['app', 'app']],
      ['on the app and its part', ['app', 'part']],
      ['twice on the part', ['part', 'part']],
    ] as const
    const COUNTED = ['closient delivered', 'ens delivered']

    for (const [where, places] of LAYERS) {
      it(`counts once when it is mounted ${where}`, async () => {
        await using site = await Site.start(
          framework,
          ({ trackImpression, answer }) => {
            trackImpression(ensAd())
            trackImpression(closientAd())
            answer('a page')
          },
          { layers: places.map((place) => ({ of: 0, at: place })) },
        )

        await site.client.view()

        await site.whenTold(2)
        assert.deepEqual(await site.settled(), COUNTED)
      })

      if (!framework.hasMiddleware) continue

      it(`counts once when two trackers’ are mounted ${where}`, async () => {
        await using site = await Site.start(
          framework,
          ({ trackImpression, answer }) => {
            trackImpression(ensAd())
            trackImpression(closientAd())
            answer('a page')
          },
          { options: [{}, {}], layers: places.map((place, of) => ({ of, at: place })) },
        )

        await site.client.view()

        await site.whenTold(2)
        assert.deepEqual(await site.settled(), COUNTED)
        const second = site.trackers[1]?.stats() ?? {}
        assertBalanced(second)
        assert.deepEqual(nonZero(second.ens), {}, 'the first one counts')
        assert.equal(site.sandbox.ens.totals.impressions, 1)
        assert.equal(site.sandbox.closient.totals.impressions, 1)
      })
    }
  })
}
