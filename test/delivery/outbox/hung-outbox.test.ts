import assert from 'node:assert/strict'
import type { Outbox } from '../../../lib/delivery/outbox/outbox.js'
import { createDelivery, range } from '../delivery-fixture.js'
import { connectionError } from '../scripted-transport.js'
import { AsyncOutbox } from './async-outbox.js'

const METHODS = ['append', 'claim', 'settle', 'release', 'expire'] as const

/** An outbox with a method that does not answer before `answer` is called. */
function createHungOutbox(hung: (typeof METHODS)[number]) {
  const outbox: Outbox = new AsyncOutbox({ maxPending: 100, maxBatch: 3 })
  const method = outbox[hung].bind(outbox) as (...args: unknown[]) => Promise<never>
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  outbox[hung] = async (...args: unknown[]) => {
    await answered
    return method(...args)
  }
  return { outbox, answer: () => answer() }
}

describe('close(), with an outbox that does not answer', () => {
  for (const hung of METHODS) {
    it(`gives each impression its one outcome and sends nothing later: ${hung}()`, async () => {
      const { outbox, answer } = createHungOutbox(hung)
      const fixture = createDelivery({ outbox, network: { maxBatch: 3, connections: 1 } })
      const { delivery, push, clock, transport, figures, outcomes, checkBalance } = fixture
      transport.script = () => connectionError(false)
      push(5)
      await clock.advanceAsync(20)
      push(2)
      const calls = transport.calls.length

      const closed = delivery.close()
      await clock.advanceAsync(2_000)
      await closed

      checkBalance()
      assert.equal(figures().pending, 0)
      // One call may have been in flight.
      assert.equal(figures().dropped + figures().uncertain, 7)
      answer()
      await clock.advanceAsync(60_000)
      assert.equal(transport.calls.length, calls)
      assert.equal(outcomes.length, 7)
      assert.deepEqual(new Set(outcomes.map(({ campaignId }) => campaignId)), new Set(range(1, 7)))
      checkBalance()
    })
  }
})
