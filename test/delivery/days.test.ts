import assert from 'node:assert/strict'
import { type Result, type Scenario, simulate } from '../../bench/days/simulate.js'

/** Nothing that the network would refuse was sent, and no window was exceeded. */
function assertWithinBudget({ refused, forestalled, excesses }: Result): void {
  assert.deepEqual({ refused, forestalled, excesses }, { refused: 0, forestalled: 0, excesses: 0 })
}

/** More page views than calls are allowed; what is much more is shown with small batches. */
const SITE: Scenario = { views: 0.3 }
const HALF = 5_000

const LOSSLESS: readonly (readonly [string, Partial<Scenario>])[] = [
  ['fixed windows', { kind: 'fixed' }],
  ['sliding windows', { kind: 'sliding', form: 'draft 08' }],
  ['windows that are reset at midnight, and a peak', { kind: 'midnight', hasPeak: true }],
  ['a site that needs nearly all of the calls', { views: 0.36, maxBatch: 10 }],
  ['a peak that needs most of the calls', { views: 0.26, maxBatch: 10, hasPeak: true }],
  ['twenty search queries', { queries: 20, form: 'draft 07' }],
  ['two hundred search queries', { queries: 200 }],
  ['more search queries than there are calls', { queries: 2_000 }],
  ['another program, told by the fewest calls left', { othersPerDay: HALF, kind: 'sliding' }],
  [
    'another program, told by the smallest share left',
    { othersPerDay: HALF, kind: 'midnight', reading: 'smallest share left', form: 'aliases' },
  ],
  ['another program and many search queries', { othersPerDay: HALF, queries: 80, kind: 'fixed' }],
]

const TOO_MUCH: readonly (readonly [string, Partial<Scenario>])[] = [
  ['more impressions than the calls can carry', { views: 0.6, maxBatch: 10, maxPending: 1_000 }],
]

describe('a day in virtual time', () => {
  for (const [name, scenario] of LOSSLESS) {
    it(`loses nothing and is never refused a call: ${name}`, () => {
      const result = simulate({ ...SITE, ...scenario })
      assertWithinBudget(result)
      assert.equal(result.lost, 0)
      assert.equal(result.delivered, result.tracked)
    })
  }

  for (const [name, scenario] of TOO_MUCH) {
    it(`makes use of every call, and loses only what they cannot carry: ${name}`, () => {
      const result = simulate({ ...SITE, ...scenario })
      assertWithinBudget(result)
      assert.ok(result.lost > 0)
      assert.ok(result.calls >= 9_900, `${result.calls} calls`)
    })
  }

  it('with little traffic sends at once', () => {
    const { medianWaitMs, lost } = simulate({ ...SITE, views: 0.005 })
    assert.equal(lost, 0)
    assert.ok(medianWaitMs < 500, `${medianWaitMs} ms`)
  })

  it('of a site that is too busy is delivered evenly from the second one on', () => {
    const scenario = { views: 0.6, maxBatch: 10, maxPending: 1_000, hours: 48 }
    const { quarters } = simulate({ ...SITE, ...scenario })
    const [, , third = 0, fourth = 0] = quarters
    assert.ok(Math.min(third, fourth) * 3 > third + fourth, `${quarters}`)
  })
})
