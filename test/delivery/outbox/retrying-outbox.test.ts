import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Outbox } from '../../../lib/delivery/outbox/outbox.js'
import { createDelivery, range } from '../delivery-fixture.js'
import { createImpressionFactory } from '../impressions.js'
import { connectionError, ok, status } from '../scripted-transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { AsyncOutbox, type Failure } from './async-outbox.js'

const LIMITS = { maxPending: 100_000, maxBatch: 3 }

function createFixture(outbox: AsyncOutbox, options: Parameters<typeof createDelivery>[0] = {}) {
  return createDelivery({ outbox, ...options, network: { maxBatch: 3, ...options.network } })
}

describe('delivery with an asynchronous outbox', () => {
  it('delivers what the outbox contains', async () => {
    const { push, clock, transport, ended } = createFixture(new AsyncOutbox(LIMITS))
    push(7)
    await clock.advanceAsync(1_000)
    assert.deepEqual(ended('delivered'), range(1, 7))
    assert.deepEqual(transport.sent, [[1, 2, 3], [4, 5, 6], [7]])
  })

  it('drops impressions that overflow or that another process has counted, and gives the reason', async () => {
    const outbox = new AsyncOutbox({ maxPending: 2, maxBatch: 3 })
    const { push, clock, ended, reasons } = createFixture(outbox)
    push(3)
    await clock.advanceAsync(1_000)
    assert.deepEqual(ended('dropped'), [3])
    outbox.append = async () => 'duplicate'
    push()
    await clock.advanceAsync(1_000)
    assert.equal(reasons().at(-1), 'duplicate: counted-elsewhere')
  })

  it('does not send a claim that resolves after the circuit breaker has opened', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { push, clock, transport, ended } = createFixture(outbox)
    let resolveClaim = () => {}
    const claim = outbox.claim.bind(outbox)
    transport.script = () =>
      transport.calls.length === 1 ? status(503, { 'retry-after': '5' }) : ok
    transport.latencyMs = 50
    push(3)
    await clock.advanceAsync(10)
    assert.equal(transport.calls.length, 1)
    outbox.claim = async (max, isMixed) => {
      await new Promise<void>((resolve) => {
        resolveClaim = resolve
      })
      return claim(max, isMixed)
    }
    push(3)
    await clock.advanceAsync(100)
    outbox.claim = claim
    resolveClaim()
    await clock.advanceAsync(100)
    assert.equal(transport.calls.length, 1, 'the circuit breaker opened before the claim resolved')
    await clock.advanceAsync(10_000)
    assert.equal(ended('delivered').length, 6)
  })

  it('takes over impressions of another process and counts each as tracked once', async () => {
    const clock = new VirtualClock()
    const outbox = new AsyncOutbox(LIMITS)
    const createImpression = createImpressionFactory()
    const createForeign = () => createImpression({ sequence: 0, trackedAtMs: clock.now() })
    outbox.lost = [createForeign(), createForeign()]
    for (let n = 0; n < 3; n += 1) await outbox.append(createForeign())
    const { figures, reasons, checkBalance } = createFixture(outbox, { clock })
    await clock.advanceAsync(1_000)
    checkBalance()
    assert.equal(figures().tracked, 5)
    assert.deepEqual(reasons().slice(0, 2), ['uncertain: process-died', 'uncertain: process-died'])
    assert.equal(figures().delivered, 3)
  })

  it('drops expired impressions of another process', async () => {
    const clock = new VirtualClock()
    const outbox = new AsyncOutbox(LIMITS)
    await outbox.append(createImpressionFactory()({ sequence: 0, trackedAtMs: clock.now() }))
    const { figures, transport } = createFixture(outbox, { clock, maxAgeMs: 10_000 })
    transport.script = () => connectionError(false)
    await clock.advanceAsync(20_000)
    assert.equal(figures().tracked, 1)
    assert.equal(figures().dropped, 1)
  })
})

describe('delivery with a failing outbox', () => {
  const methods = ['append', 'claim', 'settle', 'release', 'expire', 'recover'] as const

  for (const failure of ['before', 'after'] as const) {
    it(`loses nothing when outbox operations fail ${failure} they take effect`, async () => {
      const outbox = new AsyncOutbox(LIMITS)
      const { push, clock, ended, figures, messages } = createFixture(outbox)
      outbox.fail = () => failure
      push(10)
      await clock.advanceAsync(5_000)
      assert.equal(figures().pending, 10)
      assert.equal(messages(/the outbox failed/).length, 1)
      outbox.fail = () => undefined
      await clock.advanceAsync(5_000)
      assert.deepEqual(new Set(ended('delivered')), new Set(range(1, 10)))
      assert.equal(ended('delivered').length, 10)
    })
  }

  for (const method of methods) {
    it(`neither throws nor loses anything when ${method}() throws synchronously`, async () => {
      const outbox: Outbox = new AsyncOutbox(LIMITS)
      let failuresLeft = 2
      const original = outbox[method].bind(outbox) as (...args: unknown[]) => never
      outbox[method] = (...args: unknown[]) => {
        failuresLeft -= 1
        if (failuresLeft >= 0) throw new Error('out of memory')
        return original(...args)
      }
      const { push, clock, transport, ended } = createDelivery({ outbox, network: { maxBatch: 3 } })
      transport.script = () => (transport.calls.length < 3 ? status(500) : ok)
      push(5)
      await clock.advanceAsync(60_000)
      assert.deepEqual(new Set(ended('delivered')), new Set(range(1, 5)))
    })
  }

  it('does not flood a failing outbox with retries, however many impressions wait', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { push, clock, figures } = createFixture(outbox)
    outbox.fail = () => 'before'
    for (let second = 0; second < 20; second += 1) {
      push(50)
      await clock.advanceAsync(1_000)
    }
    assert(outbox.operations < 20 * 110, `${outbox.operations} operations`)
    outbox.fail = () => undefined
    await clock.advanceAsync(30_000)
    assert.equal(figures().delivered, 1_000)
  })

  it('drops impressions that it could not store before they expired', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { push, clock, ended, figures } = createFixture(outbox, { maxAgeMs: 10_000 })
    outbox.fail = () => 'before'
    push(5)
    await clock.advanceAsync(12_000)
    assert.deepEqual(new Set(ended('dropped')), new Set(range(1, 5)))
    assert.equal(figures().pending, 0)
  })

  it('keeps a bounded number of impressions for a failing outbox and drops the rest', async () => {
    const outbox = new AsyncOutbox({ maxPending: 1_000_000, maxBatch: 3 })
    const { push, clock, figures } = createFixture(outbox)
    outbox.fail = () => 'before'
    push()
    await clock.advanceAsync(10)
    push(100_010)
    assert.equal(figures().dropped, 11)
    assert.equal(figures().pending, 100_000)
  })

  it('keeps at most `maxPending` impressions for an outbox that never answers and drops the rest', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { push, clock, figures } = createFixture(outbox, { maxPending: 10 })
    outbox.append = () => new Promise(() => {})
    push(15)
    await clock.advanceAsync(100)
    assert.equal(figures().dropped, 5)
    assert.equal(figures().pending, 10)
  })

  it('gives every impression an outcome when it closes while the outbox is unreachable', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { delivery, push, clock, figures, checkBalance } = createFixture(outbox)
    push(3)
    await clock.advanceAsync(100)
    outbox.fail = () => 'before'
    push(5)
    await clock.advanceAsync(100)
    const closed = delivery.close()
    await clock.advanceAsync(2_000)
    await closed
    checkBalance()
    assert.equal(figures().dropped, 5)
    assert.equal(figures().delivered, 3)
  })

  it('closes even if the outbox never answers', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { delivery, push, clock } = createFixture(outbox)
    outbox.append = () => new Promise(() => {})
    push()
    await clock.advanceAsync(100)
    const closed = delivery.close()
    await clock.advanceAsync(2_000)
    await closed
    assert.equal(clock.isKeptAlive, false)
  })

  it('gives every impression an outcome when it closes after the outbox has recovered', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { delivery, push, clock, transport, figures } = createFixture(outbox)
    transport.script = () => status(503, { 'retry-after': '60' })
    push(3)
    await clock.advanceAsync(100)
    outbox.fail = () => 'before'
    push(3)
    await clock.advanceAsync(100)
    outbox.fail = () => undefined
    const closed = delivery.close()
    await clock.advanceAsync(2_000)
    await closed
    assert.equal(figures().dropped, 6)
    assert.equal(figures().pending, 0)
  })

  it('drops impressions that the outbox accepts only after the close', async () => {
    const outbox = new AsyncOutbox(LIMITS)
    const { delivery, push, clock, ended, figures } = createFixture(outbox)
    push(3)
    await delivery.close()
    await clock.advanceAsync(100)
    assert.deepEqual(new Set(ended('dropped')), new Set([1, 2, 3]))
    assert.equal(figures().pending, 0)
  })

  it('gives each impression exactly one outcome, whichever operations fail', async () => {
    const failures = fc.infiniteStream(
      fc.constantFrom<Failure | undefined>(undefined, undefined, undefined, 'before', 'after'),
    )
    const results = fc.infiniteStream(
      fc.constantFrom(
        ok,
        ok,
        ok,
        status(500),
        status(422),
        connectionError(true),
        connectionError(false),
      ),
    )
    await fc.assert(
      fc.asyncProperty(failures, results, async (failure, result) => {
        const outbox = new AsyncOutbox(LIMITS)
        const { delivery, push, clock, transport, figures, outcomes, checkBalance } = createFixture(
          outbox,
          {
            maxAgeMs: 60_000,
          },
        )
        outbox.fail = () => failure.next().value
        transport.script = () => result.next().value
        const counted: number[] = []
        for (let n = 0; n < 10; n += 1) {
          push(3)
          await clock.advanceAsync(100)
        }
        outbox.fail = () => undefined
        transport.script = ({ items }) => {
          counted.push(...items)
          return ok
        }
        await clock.advanceAsync(120_000)
        await delivery.close()
        checkBalance()
        assert.equal(figures().pending, 0)
        assert.equal(outcomes.length, 30)
        assert.equal(new Set(outcomes.map(({ campaignId }) => campaignId)).size, 30)
        assert.equal(new Set(counted).size, counted.length)
      }),
      { numRuns: 20 },
    )
  })
})
