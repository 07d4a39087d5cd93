import assert from 'node:assert/strict'
import { createDelivery, range } from './delivery-fixture.js'
import { connectionError, ok, status } from './scripted-transport.js'

/** Longer than any flush here takes. */
const FLUSH_MS = 3_600_000

const waitForNextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Whether the promise is fulfilled by now. */
async function isFulfilled(promise: Promise<unknown>): Promise<boolean> {
  let fulfilled = false
  void promise.then(() => {
    fulfilled = true
  })
  await waitForNextTurn()
  return fulfilled
}

describe('flush()', () => {
  it('resolves at once when nothing is pending', async () => {
    const { delivery, clock } = createDelivery()
    assert.equal(await isFulfilled(delivery.flush(FLUSH_MS)), true)
    assert.equal(clock.isKeptAlive, false)
  })

  it('resolves when everything that was pending at the call has its outcome', async () => {
    const { delivery, push, clock, transport } = createDelivery({ network: { connections: 1 } })
    push(2)
    const flushed = delivery.flush(FLUSH_MS)
    push(5)
    clock.advance(19)
    assert.equal(await isFulfilled(flushed), false)
    clock.advance(1)
    assert.equal(await isFulfilled(flushed), true)
    assert.equal(transport.calls.length, 3)
  })

  it('waits for the end of an outage, and keeps the process alive only until then', async () => {
    const { delivery, push, clock, transport, figures } = createDelivery()
    transport.script = () => connectionError(false, 'ECONNREFUSED')
    push(10)
    const flushed = delivery.flush(FLUSH_MS)
    clock.advance(120_000)
    assert.equal(await isFulfilled(flushed), false)
    assert.equal(clock.isKeptAlive, true)
    transport.script = () => ok
    clock.advance(61_000)
    assert.equal(await isFulfilled(flushed), true)
    assert.equal(figures().delivered, 10)
    assert.equal(clock.isKeptAlive, false)
  })

  it('resolves after any outcome, not only after delivered', async () => {
    const { delivery, push, clock, transport } = createDelivery({ maxAgeMs: 5_000 })
    transport.script = ({ items }) =>
      items.includes(1) ? status(400) : items.includes(2) ? connectionError(true) : status(500)
    push(3)
    const flushed = delivery.flush(FLUSH_MS)
    clock.advance(4_000)
    assert.equal(await isFulfilled(flushed), false)
    clock.advance(2_000)
    assert.equal(await isFulfilled(flushed), true)
  })

  it('resolves each of several calls as soon as its own impressions have ended', async () => {
    const { delivery, push, clock } = createDelivery({ network: { connections: 1 } })
    const flushes = [1, 2, 3].map(() => {
      push()
      return delivery.flush(FLUSH_MS)
    })
    for (const done of [1, 2, 3]) {
      clock.advance(10)
      const fulfilled = await Promise.all(flushes.map(isFulfilled))
      assert.equal(fulfilled.filter(Boolean).length, done)
    }
  })

  it('resolves when close() drops the rest', async () => {
    const { delivery, push, transport, clock } = createDelivery()
    transport.script = () => undefined
    push(3)
    const flushed = delivery.flush(FLUSH_MS)
    clock.advance(0)
    await delivery.close()
    assert.equal(await isFulfilled(flushed), true)
    assert.equal(clock.isKeptAlive, false)
  })
})

describe('close()', () => {
  it('drops what was never sent, and aborts the calls in flight', async () => {
    const { delivery, push, clock, transport, ended, figures } = createDelivery({
      network: { connections: 2 },
    })
    transport.script = () => undefined
    push(10)
    clock.advance(0)
    await delivery.close()
    assert.deepEqual(ended('uncertain'), [1, 2])
    assert.deepEqual(ended('dropped'), range(3, 10))
    assert.equal(figures().pending, 0)
    assert.equal(clock.isKeptAlive, false)
  })

  it('drops the impressions of a call that was never written', async () => {
    const { delivery, push, clock, transport, ended } = createDelivery()
    transport.script = () => undefined
    push(1)
    clock.advance(0)
    transport.destroy = async () =>
      transport.calls[0]?.end(connectionError(false, 'UND_ERR_DESTROYED'))
    await delivery.close()
    assert.deepEqual(ended('dropped'), [1])
  })

  it('is idempotent', async () => {
    const { delivery, push, ended } = createDelivery()
    push(3)
    const closed = delivery.close()
    assert.equal(delivery.close(), closed)
    await closed
    await delivery.close()
    assert.deepEqual(ended('dropped'), [1, 2, 3])
  })

  it('accepts and sends nothing afterwards', async () => {
    const { delivery, push, clock, transport, reasons } = createDelivery()
    push()
    await delivery.close()
    push()
    clock.advance(3_600_000)
    assert.equal(transport.calls.length, 0)
    assert.deepEqual(reasons(), ['dropped: closed', 'dropped: closed'])
  })

  it('gives each impression one outcome amid splits, waits and failures', async () => {
    for (let closeMs = 0; closeMs <= 600; closeMs += 7) {
      const { delivery, push, clock, transport, figures, outcomes, checkBalance } = createDelivery({
        network: { maxBatch: 4, connections: 3 },
      })
      let calls = 0
      transport.script = ({ items }) => {
        calls += 1
        if (items.some((item) => item % 10 === 0)) return status(calls % 2 === 0 ? 422 : 500)
        return calls % 7 === 0 ? connectionError(calls % 2 === 0) : ok
      }
      for (let pushedMs = 0; pushedMs < closeMs; pushedMs += 20) {
        push(3)
        clock.advance(20)
      }
      await delivery.close()
      checkBalance()
      assert.equal(figures().pending, 0)
      assert.equal(new Set(outcomes.map(({ campaignId }) => campaignId)).size, outcomes.length)
      assert.equal(outcomes.length, figures().tracked)
      clock.advance(3_600_000)
      assert.equal(outcomes.length, figures().tracked)
    }
  })

  it('may be called by an outcome listener', async () => {
    const { delivery, statistics, push, clock, outcomes, figures } = createDelivery({
      network: { maxBatch: 2 },
    })
    let closed: Promise<void> | undefined
    statistics.on('outcome', () => {
      closed ??= delivery.close()
    })
    push(6)
    clock.advance(10)
    await closed
    assert.equal(figures().pending, 0)
    assert.equal(outcomes.length, 6)
  })
})
