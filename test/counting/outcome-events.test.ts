import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { setImmediate as waitForNextTurn } from 'node:timers/promises'
import type { OutcomeEvent } from '../../lib/impression.js'
import { DROPPED } from '../../lib/reason.js'
import { createStatistics, createSubject } from './create-statistics.js'

describe('an outcome', () => {
  it('is emitted with all documented properties', () => {
    const { statistics, ens } = createStatistics()
    const events: OutcomeEvent[] = []
    statistics.on('outcome', (event) => events.push(event))
    ens.conclude(createSubject(), 'delivered', 'http-200: the network accepted it')
    assert.deepEqual(events, [
      {
        network: 'ens',
        outcome: 'delivered',
        reason: 'http-200: the network accepted it (docs/reasons.md#http-status)',
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
    const counts: unknown[] = []
    statistics.on('outcome', () => counts.push(statistics.snapshot().ens?.delivered))
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    assert.deepEqual(counts, [1])
  })

  it('cannot be changed by one listener for the next', () => {
    const { statistics, ens } = createStatistics()
    const outcomes: string[] = []
    statistics.on('outcome', (event) => void Reflect.set(event, 'outcome', 'rejected'))
    statistics.on('outcome', ({ outcome }) => outcomes.push(outcome))
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    assert.deepEqual(outcomes, ['delivered'])
  })

  it('has no negative latency when the clock was set back', () => {
    const { statistics, ens } = createStatistics(100)
    const latencies: number[] = []
    statistics.on('outcome', ({ latencyMs }) => latencies.push(latencyMs))
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    assert.deepEqual(latencies, [0])
  })

  it('is published on the diagnostics channel even without a listener', () => {
    const { ens } = createStatistics()
    const messages: unknown[] = []
    const outcomes = channel('ad-impressions:outcome')
    const listen = (message: unknown) => void messages.push(message)
    outcomes.subscribe(listen)
    try {
      ens.conclude(createSubject(), 'dropped', DROPPED.expired)
    } finally {
      outcomes.unsubscribe(listen)
    }
    ens.conclude(createSubject(), 'dropped', DROPPED.expired)
    assert.equal(messages.length, 1)
    assert.deepEqual(messages[0], {
      network: 'ens',
      outcome: 'dropped',
      reason: `${DROPPED.expired} (docs/reasons.md#expired)`,
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
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    stop()
    stop()
    ens.conclude(createSubject(), 'delivered', 'bot: x')
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
      ens.conclude(createSubject(), 'delivered', 'bot: x')
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
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    assert.equal(received, 1)
    assert.deepEqual(messages, ['an outcome listener threw: no disk'])
  })

  it('that rejects is logged and does not end the process', async () => {
    const { statistics, ens, messages } = createStatistics()
    statistics.on('outcome', async () => {
      throw new Error('no disk')
    })
    ens.conclude(createSubject(), 'delivered', 'bot: x')
    await waitForNextTurn()
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
