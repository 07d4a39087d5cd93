import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { OutcomeEvent } from '../lib/impression.js'
import { toShortuuid } from '../lib/networks/shortuuid.js'
import type { TrackImpression } from '../lib/track-impression.js'
import { HOSTILE_INPUTS } from './networks/hostile-inputs.js'
import { fetchPage } from './page-load/fetch-page.js'
import { Publisher } from './page-load/publisher.js'
import { assertBalanced } from './page-load/stats-assertions.js'

/** What a page does: tracks a good ad, or calls the helper with something else. */
type Step =
  | { readonly good: 'ens' | 'closient' }
  | { readonly any: unknown }
  | { readonly hostile: string }

const anything = fc.anything({
  maxDepth: 3,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
})

/** An ad with anything in some of its fields. */
const almost = fc.record(
  {
    network: fc.oneof(fc.constantFrom('ens', 'closient'), anything),
    campaignId: fc.oneof(fc.constant(0), anything),
    placement: fc.oneof(fc.constant('a'), anything),
    location: anything,
    device: anything,
    offerId: anything,
    searchQuery: anything,
    toJSON: anything,
  },
  { requiredKeys: ['campaignId'], noNullPrototype: false },
)

/** What a client may have sent as JSON, with every name that pollutes. */
const sent = fc
  .dictionary(
    fc.constantFrom('__proto__', 'constructor', 'prototype', 'campaignId', 'placement', 'polluted'),
    fc.json(),
  )
  .map((fields): unknown =>
    JSON.parse(`{${Object.entries(fields).map(([name, json]) => `"${name}":${json}`)}}`),
  )

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.constantFrom({ good: 'ens' } as const, { good: 'closient' } as const),
    fc.oneof(anything, almost, sent).map((any) => ({ any })),
    fc.constantFrom(...Object.keys(HOSTILE_INPUTS)).map((hostile) => ({ hostile })),
  ),
  { maxLength: 12 },
)

describe('any input at all', () => {
  let publisher: Publisher
  let page: readonly Step[] = []
  let calls = 0
  let campaigns = 1_000_000
  const shownGood: (string | number)[] = []
  const printed: unknown[] = []
  const imbalances: unknown[] = []

  /** Of each network, a campaign that was never shown before. */
  function goodAd(network: 'ens' | 'closient') {
    campaigns += 1
    const uuid = `00000000-0000-4000-8000-${String(campaigns).padStart(12, '0')}`
    const campaignId = network === 'ens' ? campaigns : (toShortuuid(uuid) ?? '')
    shownGood.push(campaignId)
    return network === 'ens' ? { campaignId, placement: 'side' } : { campaignId }
  }

  function run(trackImpression: TrackImpression, step: Step): void {
    const track = (input: unknown) => {
      calls += 1
      printed.push(Reflect.apply(trackImpression, undefined, [input]))
    }
    if ('good' in step) track(goodAd(step.good))
    else if ('any' in step) track(step.any)
    else track(HOSTILE_INPUTS[step.hostile]?.(() => track({ campaignId: 'nested' })))
  }

  before(async () => {
    publisher = await Publisher.start(({ res, trackImpression }) => {
      for (const step of page) run(trackImpression, step)
      res.end(`<p>[${printed.join('')}]</p>`)
    })
    publisher.tracker.on('outcome', () => {
      try {
        assertBalanced(publisher.tracker.stats())
      } catch (error) {
        imbalances.push(error)
      }
    })
  })
  after(() => publisher[Symbol.asyncDispose]())

  function figures() {
    const accounts = Object.values(publisher.tracker.stats())
    const total = (figure: 'tracked' | 'invalid') =>
      accounts.reduce((sum, account) => sum + account[figure], 0)
    return { tracked: total('tracked'), invalid: total('invalid') }
  }

  /** Views the page with these steps; returns how many of its calls were invalid. */
  async function show(shown: readonly Step[]): Promise<number> {
    page = shown
    calls = 0
    printed.length = 0
    const before = figures()
    const { status, text } = await fetchPage(publisher.url)
    const now = figures()
    assert.equal(status, 200)
    assert.equal(text, '<p>[]</p>')
    assert.ok(printed.every((value) => value === ''))
    assert.deepEqual(imbalances, [])
    assertBalanced(publisher.tracker.stats())
    assert.equal(now.tracked - before.tracked, calls, 'each call is one impression')
    return now.invalid - before.invalid
  }

  function assertUnpolluted(keys: readonly PropertyKey[]): void {
    assert.deepEqual(Reflect.ownKeys(Object.prototype), keys)
    assert.deepEqual(Object.keys({}), [])
    assert.equal(Reflect.get({}, 'polluted'), undefined)
    assert.equal(Reflect.get({}, 'campaignId'), undefined)
  }

  it('leaves the page up and the books balanced', async () => {
    const keys = Reflect.ownKeys(Object.prototype)
    await fc.assert(
      fc.asyncProperty(steps, async (shown) => {
        await show(shown)
        assertUnpolluted(keys)
      }),
      { numRuns: 150 },
    )
  })

  for (const hostile of Object.keys(HOSTILE_INPUTS)) {
    it(`may be ${hostile}, between two good ones`, async () => {
      const keys = Reflect.ownKeys(Object.prototype)
      const invalid = await show([{ good: 'ens' }, { hostile }, { good: 'closient' }])
      const isValid = hostile === 'no list of its own fields'
      assert.equal(invalid, isValid ? 0 : calls - 2)
      assertUnpolluted(keys)
    })
  }

  it('costs no good impression: each was counted, once', async () => {
    await publisher.tracker.flush()
    const { ens, closient } = publisher.sandbox
    const counted = [...ens.impressions, ...closient.impressions].map(
      ({ campaignId }) => campaignId,
    )
    const good = new Set(shownGood)
    assert.ok(good.size >= 2 * Object.keys(HOSTILE_INPUTS).length)
    assert.deepEqual(counted.filter((campaignId) => good.has(campaignId)).sort(), [...good].sort())
  })

  it('is told of on one line, and in no more than a line holds', () => {
    assert.ok(publisher.lines.length > 0)
    for (const line of publisher.lines) {
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u)
      assert.ok(line.length < 600, line)
    }
  })

  it('has outcomes that are of use: a reason each, and no endless campaign id', () => {
    const useless = publisher.outcomes.filter(
      ({ reason, campaignId }: OutcomeEvent) =>
        reason === '' || reason.length > 600 || String(campaignId).length > 64,
    )
    assert.deepEqual(useless, [])
  })
})
