import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import fc from 'fast-check'
import type { Clock } from '../../lib/clock.js'
import { type OutcomeSubject, Statistics, UNKNOWN_NETWORK } from '../../lib/counting/statistics.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'
import type { Log } from '../../lib/logger.js'

function open(nowMs = 1_000) {
  const said: string[] = []
  const say = (_kind: string, message: string) => void said.push(message)
  const log: Log = { debug: say, warn: say, error: say }
  const clock: Clock = { now: () => nowMs, after: () => () => {}, defer: () => {} }
  return { books: new Statistics([{ name: 'ens' }, { name: 'acme' }], clock, log), said }
}

const subject: OutcomeSubject = {
  network: 'ens',
  requestId: 'r1',
  campaignId: 42,
  trackedAtMs: 400,
  attempts: 2,
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('the books', () => {
  it('have an account for each network, and one for what has none', () => {
    const { books } = open()
    assert.deepEqual(Object.keys(books.stats()), ['ens', 'acme', UNKNOWN_NETWORK])
  })

  it('begin with zero of everything', () => {
    const { books } = open()
    for (const figures of Object.values(books.stats())) {
      assert.deepEqual(Object.keys(figures), ['tracked', 'held', 'pending', ...OUTCOMES])
      assert.ok(Object.values(figures).every((figure) => figure === 0))
    }
  })

  it('count each outcome in its own column, of its own network', () => {
    const { books } = open()
    for (const [index, outcome] of OUTCOMES.entries()) {
      for (let i = 0; i <= index; i += 1) {
        books.conclude(books.account('acme'), { ...subject, network: 'acme' }, outcome, 'x')
      }
    }
    const { acme, ens } = books.stats()
    assert.deepEqual(
      OUTCOMES.map((outcome) => acme?.[outcome]),
      OUTCOMES.map((_, index) => index + 1),
    )
    assert.ok(Object.values(ens ?? {}).every((figure) => figure === 0))
  })

  it('are read as they stood: a snapshot does not move', () => {
    const { books } = open()
    const before = books.stats()
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    assert.equal(before.ens?.delivered, 0)
    assert.equal(books.stats().ens?.delivered, 1)
  })

  it('know no other network', () => {
    const { books } = open()
    assert.throws(() => books.account('google'), RangeError)
    assert.throws(() => books.account('constructor'), RangeError)
  })

  it('are idle once nothing is held or pending anywhere', async () => {
    const { books } = open()
    const account = books.account('ens')
    account.held = 1
    books.account('acme').pending = 1
    let idle = false
    const waiting = books.whenIdle().then(() => {
      idle = true
    })
    account.held = 0
    books.conclude(account, subject, 'suppressed', 'aborted')
    await nextTurn()
    assert.equal(idle, false)
    books.account('acme').pending = 0
    books.conclude(books.account('acme'), { ...subject, network: 'acme' }, 'delivered', 'x')
    await waiting
    await books.whenIdle()
  })
})

describe('an outcome', () => {
  it('is told with all that the document lists', () => {
    const { books } = open()
    const events: OutcomeEvent[] = []
    books.on('outcome', (event) => events.push(event))
    books.conclude(books.account('ens'), subject, 'delivered', 'HTTP 200')
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

  it('is told once it is counted', () => {
    const { books } = open()
    books.on('outcome', () => assert.equal(books.stats().ens?.delivered, 1))
    const seen: unknown[] = []
    books.on('outcome', () => seen.push(books.stats().ens?.delivered))
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    assert.deepEqual(seen, [1])
  })

  it('cannot be changed by one listener before the next one hears of it', () => {
    const { books } = open()
    const outcomes: string[] = []
    books.on('outcome', (event) => void Reflect.set(event, 'outcome', 'rejected'))
    books.on('outcome', ({ outcome }) => outcomes.push(outcome))
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    assert.deepEqual(outcomes, ['delivered'])
  })

  it('has no negative latency where the clock went back', () => {
    const { books } = open(100)
    const latencies: number[] = []
    books.on('outcome', ({ latencyMs }) => latencies.push(latencyMs))
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    assert.deepEqual(latencies, [0])
  })

  it('is published on the diagnostics channel, also where nobody listens here', () => {
    const { books } = open()
    const messages: unknown[] = []
    const outcomes = channel('ad-impressions:outcome')
    const listen = (message: unknown) => void messages.push(message)
    outcomes.subscribe(listen)
    try {
      books.conclude(books.account('ens'), subject, 'dropped', 'expired')
    } finally {
      outcomes.unsubscribe(listen)
    }
    books.conclude(books.account('ens'), subject, 'dropped', 'expired')
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
  it('hears no more once it has unsubscribed, and may do so twice', () => {
    const { books } = open()
    let heard = 0
    const stop = books.on('outcome', () => {
      heard += 1
    })
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    stop()
    stop()
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    assert.equal(heard, 1)
  })

  it('may unsubscribe while it is told, and the next one still hears', () => {
    const { books } = open()
    const heard: string[] = []
    const stop = books.on('outcome', () => {
      heard.push('first')
      stop()
    })
    books.on('outcome', () => heard.push('second'))
    for (let i = 0; i < 2; i += 1) {
      books.conclude(books.account('ens'), subject, 'delivered', 'x')
    }
    assert.deepEqual(heard, ['first', 'second', 'second'])
  })

  it('that throws keeps no other from hearing, and is told of in the log', () => {
    const { books, said } = open()
    let heard = 0
    books.on('outcome', () => {
      throw new Error('no\ndisk')
    })
    books.on('outcome', () => {
      heard += 1
    })
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    assert.equal(heard, 1)
    assert.deepEqual(said, ['an outcome listener threw: no disk'])
  })

  it('that fails later ends no process, and is told of in the log', async () => {
    const { books, said } = open()
    books.on('outcome', async () => {
      throw new Error('no disk')
    })
    books.conclude(books.account('ens'), subject, 'delivered', 'x')
    await nextTurn()
    assert.deepEqual(said, ['an outcome listener threw: no disk'])
  })

  for (const [event, listener] of [
    ['outcomes', () => {}],
    ['outcome', undefined],
    ['outcome', 'log'],
  ] as const) {
    it(`is refused for ${event} if it is ${typeof listener}`, () => {
      const { books } = open()
      assert.throws(
        () => Reflect.apply(books.on, books, [event, listener]),
        /^TypeError: ad-impressions: on\(\) takes 'outcome' and a function$/,
      )
    })
  }
})

describe('figures', () => {
  it('add up, whatever comes in whatever order', () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('ens', 'acme', UNKNOWN_NETWORK), fc.constantFrom(...OUTCOMES)),
    )
    fc.assert(
      fc.property(steps, (concluded) => {
        const { books } = open()
        for (const [network, outcome] of concluded) {
          const account = books.account(network)
          account.tracked += 1
          books.conclude(account, { ...subject, network }, outcome, 'x')
        }
        for (const figures of Object.values(books.stats())) {
          const sum = OUTCOMES.reduce((total, outcome) => total + figures[outcome], 0)
          assert.equal(figures.tracked, figures.held + figures.pending + sum)
        }
      }),
    )
  })
})
