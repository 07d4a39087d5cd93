import assert from 'node:assert/strict'
import { setImmediate as waitForNextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { UNKNOWN_NETWORK } from '../../lib/counting/statistics.js'
import { OUTCOMES } from '../../lib/impression.js'
import { createImpressionFactory } from '../delivery/impressions.js'
import { createStatistics, createSubject } from './create-statistics.js'

describe('statistics', () => {
  it('have figures for each network and for inputs without a network', () => {
    const { statistics } = createStatistics()
    assert.deepEqual(Object.keys(statistics.snapshot()), ['ens', 'acme', UNKNOWN_NETWORK])
  })

  it('start at zero', () => {
    const { statistics } = createStatistics()
    for (const figures of Object.values(statistics.snapshot())) {
      assert.deepEqual(Object.keys(figures), ['tracked', 'held', 'pending', ...OUTCOMES])
      assert.ok(Object.values(figures).every((figure) => figure === 0))
    }
  })

  it('count each outcome separately and per network', () => {
    const { statistics } = createStatistics()
    for (const [index, outcome] of OUTCOMES.entries()) {
      for (let i = 0; i <= index; i += 1) {
        const subject = { ...createSubject(), network: 'acme' }
        statistics.forNetwork('acme').conclude(subject, outcome, 'bot: x')
      }
    }
    const { acme, ens } = statistics.snapshot()
    assert.deepEqual(
      OUTCOMES.map((outcome) => acme?.[outcome]),
      OUTCOMES.map((_, index) => index + 1),
    )
    assert.ok(Object.values(ens ?? {}).every((figure) => figure === 0))
  })

  it('of all processes have every input without a network, whichever networks share them', () => {
    const { statistics } = createStatistics()
    const shared = new Map([
      ['ens', { delivered: 1, [UNKNOWN_NETWORK]: 2 }],
      ['acme', { delivered: 3, [UNKNOWN_NETWORK]: 4 }],
    ])
    const { ens, acme, [UNKNOWN_NETWORK]: unknown } = statistics.combine(shared)
    assert.deepEqual([ens?.tracked, acme?.tracked], [1, 3])
    assert.deepEqual([unknown?.tracked, unknown?.invalid], [6, 6])
  })

  it('return a snapshot that does not change later', () => {
    const { statistics, ens } = createStatistics()
    const before = statistics.snapshot()
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    assert.equal(before.ens?.delivered, 0)
    assert.equal(statistics.snapshot().ens?.delivered, 1)
  })

  it('throw for an unknown network', () => {
    const { statistics } = createStatistics()
    assert.throws(() => statistics.forNetwork('google'), RangeError)
    assert.throws(() => statistics.forNetwork('constructor'), RangeError)
  })

  it('count invalid input under its network, or under `unknown`', () => {
    const { statistics } = createStatistics()
    const input = {
      requestId: 'r1',
      campaignId: 1,
      reason: 'invalid-input: placement: expected a text',
    } as const
    statistics.concludeInvalid('acme', input)
    statistics.concludeInvalid(undefined, input)
    const { acme, unknown } = statistics.snapshot()
    assert.deepEqual([acme?.tracked, acme?.invalid], [1, 1])
    assert.deepEqual([unknown?.tracked, unknown?.invalid], [1, 1])
  })

  it('are idle once no network has held or pending impressions', async () => {
    const { statistics, ens } = createStatistics()
    const acme = statistics.forNetwork('acme')
    const [held, pending] = [createImpressionFactory('ens')(), createImpressionFactory('acme')()]
    ens.beginHeld(held)
    acme.beginPending(pending)
    let idle = false
    const waiting = statistics.whenIdle().then(() => {
      idle = true
    })
    ens.conclude(held, 'suppressed', 'aborted: x')
    await waitForNextTurn()
    assert.equal(idle, false)
    acme.conclude(pending, 'delivered', 'bot: x')
    await waiting
    await statistics.whenIdle()
  })
})

describe('an impression', () => {
  it('moves from held to pending to its outcome and is counted once at any time', () => {
    const { ens } = createStatistics()
    const impression = createImpressionFactory('ens')()
    ens.beginHeld(impression)
    assert.deepEqual([ens.held, ens.pending], [1, 0])
    ens.beginPending(impression)
    assert.deepEqual([ens.held, ens.pending], [0, 1])
    ens.conclude(impression, 'delivered', 'bot: x')
    const { tracked, held, pending, delivered } = ens.snapshot()
    assert.deepEqual(
      { tracked, held, pending, delivered },
      { tracked: 1, held: 0, pending: 0, delivered: 1 },
    )
  })

  it('keeps its first outcome, which is emitted once', () => {
    const { statistics, ens } = createStatistics()
    const outcomes: string[] = []
    statistics.on('outcome', ({ outcome }) => outcomes.push(outcome))
    const impression = createImpressionFactory('ens')()
    ens.beginPending(impression)
    ens.conclude(impression, 'uncertain', 'bot: x')
    ens.conclude(impression, 'delivered', 'bot: x')
    ens.beginPending(impression)
    assert.deepEqual(outcomes, ['uncertain'])
    const { tracked, pending, uncertain, delivered } = ens.snapshot()
    assert.deepEqual([tracked, pending, uncertain, delivered], [1, 0, 1, 0])
  })
})

describe('figures', () => {
  it('add up after any sequence of calls', () => {
    const networks = ['ens', 'acme', UNKNOWN_NETWORK] as const
    const step = fc.record({
      network: fc.constantFrom(...networks),
      impression: fc.nat(5),
      figure: fc.constantFrom('held', 'pending', ...OUTCOMES),
    })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { statistics } = createStatistics()
        const impressions = new Map(
          networks.map((network) => [
            network,
            Array.from({ length: 6 }, () => createImpressionFactory(network)()),
          ]),
        )
        for (const { network, impression: index, figure } of steps) {
          const impression = impressions.get(network)?.[index]
          assert(impression)
          const figures = statistics.forNetwork(network)
          if (figure === 'held') figures.beginHeld(impression)
          else if (figure === 'pending') figures.beginPending(impression)
          else figures.conclude(impression, figure, 'bot: x')
        }
        for (const figures of Object.values(statistics.snapshot())) {
          const sum = OUTCOMES.reduce((total, outcome) => total + figures[outcome], 0)
          assert.equal(figures.tracked, figures.held + figures.pending + sum)
          assert(figures.tracked <= 6)
        }
      }),
    )
  })
})
