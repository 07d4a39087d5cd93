import assert from 'node:assert/strict'
import { readReasonCode } from '../../lib/reason.js'
import { createTracker } from '../../lib/tracker.js'
import { createDelivery, type DeliveryOptions } from '../delivery/delivery-fixture.js'
import { connectionError, ok, status } from '../delivery/scripted-transport.js'

const HOUR_MS = 3_600_000

function createHealth(options: DeliveryOptions = {}) {
  const fixture = createDelivery(options)
  const { delivery } = fixture
  return {
    ...fixture,
    health: () => delivery.health(),
    /** Such as `down: timeout, circuit open`. */
    summary() {
      const { status, reason, circuit } = delivery.health()
      return `${status}: ${readReasonCode(reason)}, circuit ${circuit}`
    },
  }
}

describe('health()', () => {
  it('is ok before the first call and while the network answers', () => {
    const { summary, push, clock, health } = createHealth()
    const { since } = health()
    assert.equal(summary(), 'ok: ok, circuit closed')
    push()
    clock.advance(10_000)
    assert.equal(summary(), 'ok: ok, circuit closed')
    assert.equal(health().since, since)
  })

  it('is degraded after one failed call, with its reason', () => {
    const { summary, push, clock, transport } = createHealth()
    transport.script = () => (transport.calls.length === 1 ? status(500) : undefined)
    push()
    clock.advance(200)
    assert.equal(summary(), 'degraded: http-500, circuit closed')
  })

  it('is down while the circuit breaker is open or half-open, and ok after a success', () => {
    const { summary, push, clock, transport, health } = createHealth()
    const startedAt = health().since
    transport.script = () => connectionError(false)
    push(10)
    clock.advance(60_000)
    assert.equal(summary(), 'down: reset, circuit open')
    const { since } = health()
    assert.ok(since > startedAt)
    clock.advance(60_000)
    assert.equal(health().since, since, 'it stays down')
    transport.script = () => undefined
    clock.advance(120_000)
    assert.equal(health().circuit, 'half-open')
    assert.equal(health().status, 'down')
    transport.calls.at(-1)?.end(ok)
    assert.equal(summary(), 'ok: ok, circuit closed')
    assert.ok(health().since > since)
  })

  it('is down with a wrong key', () => {
    const { summary, push, clock, transport } = createHealth()
    transport.script = () => status(401)
    push()
    clock.advance(1_000)
    assert.equal(summary(), 'down: http-401, circuit open')
  })

  it('is degraded while the network asks to wait', () => {
    const { summary, push, clock, transport } = createHealth()
    transport.script = () => status(429, { 'retry-after': '30' })
    push()
    clock.advance(1_000)
    assert.equal(summary(), 'degraded: http-429, circuit open')
  })

  it('is degraded while impressions wait for quota', () => {
    const windows = [{ limit: 1, windowMs: 60_000 }]
    const { summary, push, clock } = createHealth({ network: { windows } })
    push(2)
    clock.advance(1_000)
    assert.equal(summary(), 'degraded: quota, circuit closed')
    clock.advance(120_000)
    assert.equal(summary(), 'ok: ok, circuit closed')
  })

  it('is down while so much waits that new impressions are dropped', () => {
    const { summary, push, clock, transport } = createHealth({ maxPending: 3 })
    transport.script = () => undefined
    push(3)
    assert.equal(summary(), 'down: overflow, circuit closed')
    clock.advance(10)
    for (const call of transport.calls) call.end(ok)
    assert.equal(summary(), 'ok: ok, circuit closed')
  })

  it('is down after close()', async () => {
    const { summary, delivery, clock } = createHealth()
    const closed = delivery.close()
    await clock.advanceAsync(5_000)
    await closed
    assert.equal(summary(), 'down: closed, circuit closed')
  })

  it('has the age of the oldest pending impression', () => {
    const { push, clock, transport, health } = createHealth()
    assert.equal(health().oldestPendingMs, 0)
    transport.script = () => connectionError(false)
    push()
    clock.advance(3_000)
    push()
    clock.advance(3_000)
    assert.equal(health().oldestPendingMs, 6_000)
    transport.script = () => ok
    clock.advance(HOUR_MS / 10)
    assert.equal(health().oldestPendingMs, 0)
  })

  it('has an ISO 8601 date that survives JSON', () => {
    const { health } = createHealth()
    const { since } = health()
    assert.equal(new Date(since).toISOString(), since)
    assert.deepEqual(JSON.parse(JSON.stringify(health())), health())
  })

  it('is ok for every network if the tracker is disabled', () => {
    const health = createTracker({ enabled: false }).health()
    assert.deepEqual(Object.keys(health), ['ens', 'closient'])
    for (const { status, circuit, reason } of Object.values(health)) {
      assert.deepEqual([status, circuit, readReasonCode(reason)], ['ok', 'closed', 'disabled'])
    }
  })
})
