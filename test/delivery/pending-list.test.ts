import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Clock } from '../../lib/clock.js'
import { PendingList } from '../../lib/delivery/pending-list.js'
import type { Impression } from '../../lib/impression.js'
import { range } from './delivery-fixture.js'
import { createImpressionFactory } from './impressions.js'
import { VirtualClock } from './virtual-clock.js'

const createImpression = (() => {
  const create = createImpressionFactory()
  return () => create({ sequence: 0 })
})()

/** Adds `count` impressions. */
function fill(list: PendingList, count: number): Impression[] {
  const impressions = Array.from({ length: count }, createImpression)
  for (const impression of impressions) list.add(impression)
  return impressions
}

class FlushModel {
  readonly pending = new Set<Impression>()
  readonly flushes: { readonly awaited: readonly Impression[]; hasEnded: boolean }[] = []
  readonly #list = new PendingList(new VirtualClock())

  add(): void {
    for (const impression of fill(this.#list, 1)) this.pending.add(impression)
  }

  flush(): void {
    const flush = { awaited: [...this.pending], hasEnded: false }
    this.flushes.push(flush)
    void this.#list.flush(1_000).then((isDone) => {
      flush.hasEnded = isDone
    })
  }

  end(index: number): void {
    const impression = [...this.pending][index]
    if (!impression) return
    this.pending.delete(impression)
    this.#list.remove(impression)
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('the pending list', () => {
  it('numbers impressions in order, and returns each added one once', () => {
    const list = new PendingList(new VirtualClock())
    const first = fill(list, 3)
    assert.deepEqual(
      first.map(({ sequence }) => sequence),
      [1, 2, 3],
    )
    assert.deepEqual(list.takeAdded(), first)
    const second = fill(list, 2)
    for (const impression of second.slice(0, 1)) list.remove(impression)
    assert.deepEqual(list.takeAdded(), second.slice(1))
    assert.deepEqual(list.takeAdded(), [])
    assert.deepEqual(list.toArray(), [...first, ...second.slice(1)])
  })

  it('ends each flush when what was pending at its call has ended, in any order', async () => {
    const event = fc.record({ does: fc.constantFrom('add', 'flush', 'end'), index: fc.nat(20) })
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const model = new FlushModel()
        for (const { does, index } of events) model[does](index)
        await settle()
        for (const { awaited, hasEnded } of model.flushes) {
          assert.equal(hasEnded, !awaited.some((impression) => model.pending.has(impression)))
        }
      }),
    )
  })

  it('keeps the process alive only until the timeout of a flush', async () => {
    const clock = new VirtualClock()
    const list = new PendingList(clock)
    const [impression] = fill(list, 1)
    const short = list.flush(10)
    const long = list.flush(1_000)
    clock.advance(10)
    assert.equal(await short, false)
    assert.equal(clock.isKeptAlive, true)
    assert(impression)
    list.remove(impression)
    assert.equal(await long, true)
    assert.equal(clock.isKeptAlive, false)
  })

  it('ends 100,000 flushes, a thousand in each turn of the event loop', async () => {
    const turns: (() => void)[] = []
    const clock: Clock = {
      now: () => 0,
      wallNow: () => 0,
      after: () => () => {},
      defer: (task) => void turns.push(task),
    }
    const list = new PendingList(clock)
    let ended = 0
    const impressions: Impression[] = []
    for (const _ of range(1, 100_000)) {
      impressions.push(...fill(list, 1))
      void list.flush(1_000).then(() => {
        ended += 1
      })
    }
    // If each end were compared with each flush, this would take minutes.
    for (const impression of impressions) list.remove(impression)
    for (const turn of range(1, 100)) {
      await settle()
      assert.equal(ended, turn * 1_000)
      turns.shift()?.()
    }
  })
})
