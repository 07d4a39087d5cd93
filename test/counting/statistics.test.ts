import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import fc from 'fast-check'
import type { Clock } from '../../lib/clock.js'
import type { OutcomeSubject } from '../../lib/counting/outcome-events.js'
import { Statistics, UNKNOWN_NETWORK } from '../../lib/counting/statistics.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'
import type { Log } from '../../lib/logger.js'
import { impressionFactory } from '../delivery/impressions.js'

function createStatistics(nowMs = 1_000) {
  const messages: string[] = []
  const record = (_kind: string, message: string) => void messages.push(message)
  const log: Log = { debug: record, warn: record, error: record }
  const now = () => nowMs
  const clock: Clock = { now, wallNow: now, after: () => () => {}, defer: () => {} }
  const statistics = new Statistics([{ name: 'ens' }, { name: 'acme' }], clock, log)
  return { statistics, ens: statistics.forNetwork('ens'), messages }
}

const createSubject = (): OutcomeSubject => ({
  network: 'ens',
  requestId: 'r1',
  campaignId: 42,
  trackedAtMs: 400,
  attempts: 2,
})

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

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
        statistics.forNetwork('acme').conclude(subject, outcome, 'x')
      }
    }
    const { acme, ens } = statistics.snapshot()
    assert.deepEqual(
      OUTCOMES.map((outcome) => acme?.[outcome]),
      OUTCOMES.map((_, index) => index + 1),
    )
    assert.ok(Object.values(ens ?? {}).every((figure) => figure === 0))
  })

  it('return a snapshot that does not change later', () => {
    const { statistics, ens } = createStatistics()
    const before = statistics.snapshot()
    ens.conclude(createSubject(), 'delivered', 'x')
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
    const input = { requestId: 'r1', campaignId: 1, reason: 'placement: expected a text' }
    statistics.concludeInvalid('acme', input)
    statistics.concludeInvalid(undefined, input)
    const { acme, unknown } = statistics.snapshot()
    assert.deepEqual([acme?.tracked, acme?.invalid], [1, 1])
    assert.deepEqual([unknown?.tracked, unknown?.invalid], [1, 1])
  })

  it('are idle once no network has held or pending impressions', async () => {
    const { statistics, ens } = createStatistics()
    const acme = statistics.forNetwork('acme')
    const [held, pending] = [impressionFactory('ens')(), impressionFactory('acme')()]
    ens.beginHeld(held)
    acme.beginPending(pending)
    let idle = false
    const waiting = statistics.whenIdle().then(() => {
      idle = true
    })
    ens.conclude(held, 'suppressed', 'aborted')
    await nextTurn()
    assert.equal(idle, false)
    acme.conclude(pending, 'delivered', 'x')
    await waiting
    await statistics.whenIdle()
  })
})

describe('an impression', () => {
  it('moves from held to pending to its outcome and is counted once at any time', () => {
    const { ens } = createStatistics()
    const impression = impressionFactory('ens')()
    ens.beginHeld(impression)
    assert.deepEqual([ens.held, ens.pending], [1, 0])
    ens.beginPending(impression)
    assert.deepEqual([ens.held, ens.pending], [0, 1])
    ens.conclude(impression, 'delivered', 'x')
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
    const impression = impressionFactory('ens')()
    ens.beginPending(impression)
    ens.conclude(impression, 'uncertain', 'x')
    ens.conclude(impression, 'delivered', 'x')
    ens.beginPending(impression)
    assert.deepEqual(outcomes, ['uncertain'])
    const { tracked, pending, uncertain, delivered } = ens.snapshot()
    assert.deepEqual([tracked, pending, uncertain, delivered], [1, 0, 1, 0])
  })
})

describe('an outcome', () => {
  it('is emitted with all documented properties', () => {
    const { statistics, ens } = createStatistics()
    const events: OutcomeEvent[] = []
    statistics.on('outcome', (event) => events.push(event))
    ens.conclude(createSubject(), 'delivered', 'HTTP 200')
    assert.deepEqual(events, [
      {
        network: 'ens',
        outcome: 'delivered',
        reason: 'HTTP 200',
        requestId: 'r1',
        campaignId: 42,
        attempts: 2,
        latencyMs: 600,
      },
    ])
  })

  it('is emitted after it is counted', () => {
    const { statistics, ens } = createStatistics()
    statistics.on('outcome', () => assert.equal(statistics.snapshot().ens?.delivered, 1))
    const seen: unknown[] = []
    statistics.on('outcome', () => seen.push(statistics.snapshot().ens?.delivered))
    ens.conclude(createSubject(), 'delivered', 'x')
    assert.deepEqual(seen, [1])
  })

  it('cannot be changed by one listener for the next', () => {
    const { statistics, ens } = createStatistics()
    const outcomes: string[] = []
    statistics.on('outcome', (event) => void Reflect.set(event, 'outcome', 'rejected'))
    statistics.on('outcome', ({ outcome }) => outcomes.push(outcome))
    ens.conclude(createSubject(), 'delivered', 'x')
    assert.deepEqual(outcomes, ['delivered'])
  })

  it('has no negative latency when the clock was set back', () => {
    const { statistics, ens } = createStatistics(100)
    const latencies: number[] = []
    statistics.on('outcome', ({ latencyMs }) => latencies.push(latencyMs))
    ens.conclude(createSubject(), 'delivered', 'x')
    assert.deepEqual(latencies, [0])
  })

  it('is published on the diagnostics channel even without a listener', () => {
    const { ens } = createStatistics()
    const messages: unknown[] = []
    const outcomes = channel('ad-impressions:outcome')
    const listen = (message: unknown) => void messages.push(message)
    outcomes.subscribe(listen)
    try {
      ens.conclude(createSubject(), 'dropped', 'expired')
    } finally {
      outcomes.unsubscribe(listen)
    }
    ens.conclude(createSubject(), 'dropped', 'expired')
    assert.equal(messages.length, 1)
    assert.deepEqual(messages[0], {
      network: 'ens',
      outcome: 'dropped',
      reason: 'expired',
      requestId: 'r1',
      campaignId: 42,
      attempts: 2,
      latencyMs: 600,
    })
  })
})

describe('a listener', () => {
  it('receives no more events after it unsubscribes, which it may do twice', () => {
    const { statistics, ens } = createStatistics()
    let received = 0
    const stop = statistics.on('outcome', () => {
      received += 1
    })
    ens.conclude(createSubject(), 'delivered', 'x')
    stop()
    stop()
    ens.conclude(createSubject(), 'delivered', 'x')
    assert.equal(received, 1)
  })

  it('may unsubscribe during an event without affecting the next listener', () => {
    const { statistics, ens } = createStatistics()
    const received: string[] = []
    const stop = statistics.on('outcome', () => {
      received.push('first')
      stop()
    })
    statistics.on('outcome', () => received.push('second'))
    for (let i = 0; i < 2; i += 1) {
      ens.conclude(createSubject(), 'delivered', 'x')
    }
    assert.deepEqual(received, ['first', 'second', 'second'])
  })

  it('that throws is logged and does not affect other listeners', () => {
    const { statistics, ens, messages } = createStatistics()
    let received = 0
    statistics.on('outcome', () => {
      throw new Error('no\ndisk')
    })
    statistics.on('outcome', () => {
      received += 1
    })
    ens.conclude(createSubject(), 'delivered', 'x')
    assert.equal(received, 1)
    assert.deepEqual(messages, ['an outcome listener threw: no disk'])
  })

  it('that rejects is logged and does not end the process', async () => {
    const { statistics, ens, messages } = createStatistics()
    statistics.on('outcome', async () => {
      throw new Error('no disk')
    })
    ens.conclude(createSubject(), 'delivered', 'x')
    await nextTurn()
    assert.deepEqual(messages, ['an outcome listener threw: no disk'])
  })

  for (const [event, listener] of [
    ['outcomes', () => {}],
    ['outcome', undefined],
    ['outcome', 'log'],
  ] as const) {
    it(`is rejected for event ${event} and listener type ${typeof listener}`, () => {
      const { statistics } = createStatistics()
      assert.throws(
        () => Reflect.apply(statistics.on, statistics, [event, listener]),
        /^TypeError: ad-impressions: on\(\) takes 'outcome' and a function$/,
      )
    })
  }
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
            Array.from({ length: 6 }, () => impressionFactory(network)()),
          ]),
        )
        for (const { network, impression: index, figure } of steps) {
          const impression = impressions.get(network)?.[index]
          assert(impression)
          const figures = statistics.forNetwork(network)
          if (figure === 'held') figures.beginHeld(impression)
          else if (figure === 'pending') figures.beginPending(impression)
          else figures.conclude(impression, figure, 'x')
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
