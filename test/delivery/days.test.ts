import assert from 'node:assert/strict'
import { type SimulationResult, simulate, type TrafficScenario } from '../../bench/days/simulate.js'

/** The network refused none of our calls, and no window was exceeded. */
function assertWithinQuota(result: SimulationResult): void {
  const { refused, refusedAfterOthers, exceededWindows } = result
  assert.deepEqual(
    { refused, refusedAfterOthers, exceededWindows },
    { refused: 0, refusedAfterOthers: 0, exceededWindows: 0 },
  )
}

/** More page views than allowed calls. Smaller batches simulate much more traffic. */
const SITE: TrafficScenario = { viewsPerSecond: 0.3 }
const HALF = 5_000
const HALF_DAY = { hours: 12 }

const LOSSLESS: readonly (readonly [string, Partial<TrafficScenario>])[] = [
  ['fixed windows', { windowKind: 'fixed' }],
  ['sliding windows', { windowKind: 'sliding', headerForm: 'draft 08' }],
  ['windows that are reset at midnight, with a peak', { windowKind: 'midnight', hasPeak: true }],
  ['a site that needs nearly all of the calls', { viewsPerSecond: 0.36, maxBatch: 10 }],
  ['a peak that needs most of the calls', { viewsPerSecond: 0.26, maxBatch: 10, hasPeak: true }],
  ['twenty search queries', { queries: 20, headerForm: 'draft 07' }],
  ['two hundred search queries', { queries: 200 }],
  ['more search queries than there are calls', { queries: 2_000 }],
  [
    'another program; headers report the window with the fewest calls left',
    { othersPerDay: HALF, windowKind: 'sliding' },
  ],
  [
    'another program; headers report the window with the smallest share left',
    {
      othersPerDay: HALF,
      windowKind: 'midnight',
      reportedWindow: 'smallest share left',
      headerForm: 'aliases',
    },
  ],
  [
    'another program and many search queries',
    { othersPerDay: HALF, queries: 80, windowKind: 'fixed' },
  ],
  ['sixteen processes', { ...HALF_DAY, processes: 16, windowKind: 'midnight' }],
  ['a process that is restarted every 15 minutes', { ...HALF_DAY, restartMinutes: 15 }],
  [
    'sixteen processes that are restarted every 15 minutes, with twenty search queries',
    { ...HALF_DAY, processes: 16, restartMinutes: 15, queries: 20 },
  ],
  [
    'eight processes with a peak; headers report the window with the smallest share left',
    { processes: 8, hasPeak: true, windowKind: 'fixed', reportedWindow: 'smallest share left' },
  ],
  [
    'eight known processes, with no headers',
    { ...HALF_DAY, processes: 8, knownProcesses: 8, headerForm: 'none' },
  ],
  [
    'sixteen processes that assume eight, with no headers',
    { ...HALF_DAY, processes: 16, knownProcesses: 8, headerForm: 'none' },
  ],
  [
    'one process that assumes eight, with two hundred search queries',
    { ...HALF_DAY, knownProcesses: 8, queries: 200, headerForm: 'none' },
  ],
]

const OVERLOADED: readonly (readonly [string, Partial<TrafficScenario>])[] = [
  [
    'more impressions than the calls can carry',
    { viewsPerSecond: 0.6, maxBatch: 10, maxPending: 1_000 },
  ],
]

describe('days in virtual time', function () {
  // Each simulates a day or more, which takes a slow machine a while.
  this.timeout(60_000)

  for (const [name, scenario] of LOSSLESS) {
    it(`loses no impression and has no call refused: ${name}`, () => {
      const result = simulate({ ...SITE, ...scenario })
      assertWithinQuota(result)
      assert.equal(result.lost, 0)
      assert.equal(result.delivered, result.tracked)
    })
  }

  for (const [name, scenario] of OVERLOADED) {
    it(`uses every allowed call and loses only what they cannot carry: ${name}`, () => {
      const result = simulate({ ...SITE, ...scenario })
      assertWithinQuota(result)
      assert.ok(result.lost > 0)
      assert.ok(result.calls >= 9_900, `${result.calls} calls`)
    })
  }

  it('sends at once when there is little traffic', () => {
    const { medianWaitMs, lost } = simulate({ ...SITE, viewsPerSecond: 0.005 })
    assert.equal(lost, 0)
    assert.ok(medianWaitMs < 500, `${medianWaitMs} ms`)
  })

  it('delivers evenly from the second day on when there is too much traffic', () => {
    const scenario = { viewsPerSecond: 0.6, maxBatch: 10, maxPending: 1_000, hours: 48 }
    const { quarters } = simulate({ ...SITE, ...scenario })
    const [, , third = 0, fourth = 0] = quarters
    assert.ok(Math.min(third, fourth) * 3 > third + fourth, `${quarters}`)
  })
})
