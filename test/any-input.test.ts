import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { OutcomeEvent } from '../lib/impression.js'
import { toShortuuid } from '../lib/networks/shortuuid.js'
import type { TrackImpression } from '../lib/track-impression.js'
import { HOSTILE_INPUTS } from './networks/hostile-inputs.js'
import { fetchPage } from './page-load/fetch-page.js'
import { Publisher } from './page-load/publisher.js'
import { assertBalanced } from './page-load/stats-assertions.js'

/** What a page does: track a valid impression, or call the helper with something else. */
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

/** An object with the right fields, some with arbitrary values. */
const almostValid = fc.record(
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

/** JSON from a client, with every name that can pollute prototypes. */
const parsedJson = fc
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
    fc.oneof(anything, almostValid, parsedJson).map((any) => ({ any })),
    fc.constantFrom(...Object.keys(HOSTILE_INPUTS)).map((hostile) => ({ hostile })),
  ),
  { maxLength: 12 },
)

describe('trackImpression, with any input', () => {
  let publisher: Publisher
  let page: readonly Step[] = []
  let calls = 0
  let campaigns = 1_000_000
  const goodCampaigns: (string | number)[] = []
  const printed: unknown[] = []
  const imbalances: unknown[] = []

  /** A valid input for a campaign that was not displayed before. */
  function createGoodInput(network: 'ens' | 'closient') {
    campaigns += 1
    const uuid = `00000000-0000-4000-8000-${String(campaigns).padStart(12, '0')}`
    const campaignId = network === 'ens' ? campaigns : (toShortuuid(uuid) ?? '')
    goodCampaigns.push(campaignId)
    return network === 'ens' ? { campaignId, placement: 'side' } : { campaignId }
  }

  function run(trackImpression: TrackImpression, step: Step): void {
    const track = (input: unknown) => {
      calls += 1
      printed.push(Reflect.apply(trackImpression, undefined, [input]))
    }
    if ('good' in step) track(createGoodInput(step.good))
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

  function readFigures() {
    const accounts = Object.values(publisher.tracker.stats())
    const total = (figure: 'tracked' | 'invalid') =>
      accounts.reduce((sum, account) => sum + account[figure], 0)
    return { tracked: total('tracked'), invalid: total('invalid') }
  }

  /** Requests the page with these steps. Returns how many of its calls were invalid. */
  async function requestPage(pageSteps: readonly Step[]): Promise<number> {
    page = pageSteps
    calls = 0
    printed.length = 0
    const before = readFigures()
    const { status, text } = await fetchPage(publisher.url)
    const after = readFigures()
    assert.equal(status, 200)
    assert.equal(text, '<p>[]</p>')
    assert.ok(printed.every((value) => value === ''))
    assert.deepEqual(imbalances, [])
    assertBalanced(publisher.tracker.stats())
    assert.equal(after.tracked - before.tracked, calls, 'each call is one impression')
    return after.invalid - before.invalid
  }

  function assertNotPolluted(keys: readonly PropertyKey[]): void {
    assert.deepEqual(Reflect.ownKeys(Object.prototype), keys)
    assert.deepEqual(Object.keys({}), [])
    assert.equal(Reflect.get({}, 'polluted'), undefined)
    assert.equal(Reflect.get({}, 'campaignId'), undefined)
  }

  it('never breaks the page and keeps the statistics balanced', async () => {
    const keys = Reflect.ownKeys(Object.prototype)
    await fc.assert(
      fc.asyncProperty(steps, async (pageSteps) => {
        await requestPage(pageSteps)
        assertNotPolluted(keys)
      }),
      { numRuns: 150 },
    )
  })

  for (const hostile of Object.keys(HOSTILE_INPUTS)) {
    it(`survives ${hostile} between two valid inputs`, async () => {
      const keys = Reflect.ownKeys(Object.prototype)
      const invalid = await requestPage([{ good: 'ens' }, { hostile }, { good: 'closient' }])
      const isValid = hostile === 'a proxy that refuses to list its fields'
      assert.equal(invalid, isValid ? 0 : calls - 2)
      assertNotPolluted(keys)
    })
  }

  it('delivers every valid impression once', async () => {
    await publisher.tracker.flush()
    const { ens, closient } = publisher.sandbox
    const counted = [...ens.impressions, ...closient.impressions].map(
      ({ campaignId }) => campaignId,
    )
    const good = new Set(goodCampaigns)
    assert.ok(good.size >= 2 * Object.keys(HOSTILE_INPUTS).length)
    assert.deepEqual(counted.filter((campaignId) => good.has(campaignId)).sort(), [...good].sort())
  })

  it('logs single lines of limited length', () => {
    assert.ok(publisher.lines.length > 0)
    for (const line of publisher.lines) {
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u)
      assert.ok(line.length < 600, line)
    }
  })

  it('emits outcomes with a reason and a campaign id of limited length', () => {
    const unusable = publisher.outcomes.filter(
      ({ reason, campaignId }: OutcomeEvent) =>
        !/^[a-z0-9-]+: ./.test(reason) || reason.length > 600 || String(campaignId).length > 64,
    )
    assert.deepEqual(unusable, [])
  })
})
