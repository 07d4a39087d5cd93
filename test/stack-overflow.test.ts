import assert from 'node:assert/strict'
import { createLog } from '../lib/logger.js'
import { createDelivery, range } from './delivery/delivery-fixture.js'
import { VirtualClock } from './delivery/virtual-clock.js'
import { measureStack, runNearStackEnd } from './stack-end.js'

/** Its timers take as much stack to set as those of Node, and more than anything else here. */
class DeepClock extends VirtualClock {
  override after(delayMs: number, task: () => void, keepsAlive?: 'keeps-alive'): () => void {
    return callDeeply(10, () => super.after(delayMs, task, keepsAlive))
  }
}

function callDeeply<Value>(depth: number, call: () => Value): Value {
  return depth === 0 ? call() : callDeeply(depth - 1, call)
}

/** From no stack at all to more than any call here needs. */
const SLOTS_LEFT = range(-40, 400)

describe('when the stack overflows', () => {
  it('at any depth of an impression’s way to delivery, nothing is lost and later ones leave', () => {
    const measured = measureStack()
    let overflows = 0
    let fixture = createDelivery()
    let impression = fixture.createImpression()
    const push = () => fixture.delivery.push(impression)
    push()
    for (const left of SLOTS_LEFT) {
      fixture = createDelivery()
      impression = fixture.createImpression()
      const isAccepted = runNearStackEnd(measured, left, push)
      if (!isAccepted) overflows += 1
      fixture.push()
      fixture.clock.advance(1_000)
      fixture.checkBalance()
      assert.equal(fixture.figures().pending, 0)
      // One that overflowed has either not happened or is delivered.
      const isDelivered = isAccepted || impression.sequence > 0
      assert.deepEqual(fixture.ended('delivered'), isDelivered ? [1, 2] : [2], `${left} slots`)
    }
    assert.ok(overflows > 50 && overflows < 400, `${overflows} overflows`)
  })

  it('at any depth of an impression’s way to delivery, later ones still expire', () => {
    const measured = measureStack()
    let fixture = createDelivery()
    let impression = fixture.createImpression()
    const push = () => fixture.delivery.push(impression)
    push()
    for (const left of SLOTS_LEFT) {
      fixture = createDelivery({
        clock: new DeepClock(),
        maxAgeMs: 10_000,
        network: { connections: 1 },
      })
      fixture.transport.script = () => undefined
      impression = fixture.createImpression()
      runNearStackEnd(measured, left, push)
      fixture.push(3)
      fixture.clock.advance(20_000)
      assert.ok(fixture.figures().dropped >= 2, `${left} slots`)
    }
  })

  it('at any depth of a log line, its kind is logged again later', () => {
    const measured = measureStack()
    const lines: string[] = []
    const record = (_fields: object, line: string) => void lines.push(line)
    const logger = { debug: record, warn: record, error: record }
    let log = createLog(logger, new DeepClock())
    const warn = () => log.warn('outbox-failed disk', 'the disk is full')
    warn()
    for (const left of SLOTS_LEFT) {
      const clock = new DeepClock()
      log = createLog(logger, clock)
      runNearStackEnd(measured, left, warn)
      clock.advance(61_000)
      lines.length = 0
      warn()
      assert.equal(lines.length, 1, `${left} slots`)
    }
  })
})
