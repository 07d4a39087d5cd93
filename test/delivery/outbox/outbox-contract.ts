// Tests lib/delivery/outbox/outbox.ts

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Claim, Outbox, OutboxOptions } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'
import { createImpressionFactory } from '../impressions.js'
import { MODEL_MAX_PENDING, OutboxModel, STEP } from './outbox-model.js'
import { createOutboxOptions, IGNORED_EVENTS } from './outbox-options.js'

/** The behaviour of every outbox, synchronous or not. `open` returns an empty outbox. */
export function outboxContract(name: string, open: (options: OutboxOptions) => Outbox): void {
  const createOutbox = (options: Partial<OutboxOptions> = {}) => open(createOutboxOptions(options))

  async function fill(outbox: Outbox, ...batchKeys: string[]): Promise<Impression[]> {
    const createImpression = createImpressionFactory()
    const all = batchKeys.map((batchKey) => createImpression({ batchKey }))
    for (const impression of all) assert.equal(await outbox.append(impression), 'accepted')
    return all
  }

  async function claim(outbox: Outbox, max = 3): Promise<Claim> {
    const claimed = await outbox.claim(max)
    assert(claimed, 'an impression waits')
    return claimed
  }

  const listKeys = ({ impressions }: Claim) => impressions.map(({ batchKey }) => batchKey).join('')

  describe(`outbox contract: ${name}`, () => {
    it('claims impressions first in, first out', async () => {
      const outbox = createOutbox()
      const all = await fill(outbox, '', '', '', '', '')
      assert.deepEqual((await claim(outbox)).impressions, all.slice(0, 3))
      assert.deepEqual((await claim(outbox)).impressions, all.slice(3))
      assert.equal(await outbox.claim(3), undefined)
    })

    it('returns nothing when it is empty', async () => {
      const outbox = createOutbox()
      assert.equal(await outbox.claim(3), undefined)
      assert.equal(outbox.waiting, 0)
      assert.equal(outbox.hasFullBatch, false)
      assert.equal(outbox.nextTrackedAtMs, undefined)
      assert.deepEqual(await outbox.expire(Number.POSITIVE_INFINITY), [])
      assert.deepEqual(await outbox.recover(IGNORED_EVENTS), [])
    })

    it('claims at most `max` impressions', async () => {
      const outbox = createOutbox()
      await fill(outbox, '', '', '', '')
      assert.equal((await claim(outbox, 1)).impressions.length, 1)
      assert.equal((await claim(outbox, 2)).impressions.length, 2)
    })

    it('claims only impressions with the same batch key together', async () => {
      const outbox = createOutbox()
      await fill(outbox, 'a', 'b', 'a', 'b')
      assert.equal(listKeys(await claim(outbox)), 'aa')
      assert.equal(listKeys(await claim(outbox)), 'bb')
    })

    it('counts waiting impressions, not claimed ones', async () => {
      const outbox = createOutbox()
      await fill(outbox, '', '', '', '')
      assert.equal(outbox.waiting, 4)
      const claimed = await claim(outbox)
      assert.equal(outbox.waiting, 1)
      await outbox.settle(claimed, claimed.impressions, 'delivered')
      assert.equal(outbox.waiting, 1)
    })

    it('accepts at most `maxPending` impressions, claimed ones included', async () => {
      const outbox = createOutbox({ maxPending: 3 })
      await fill(outbox, '', '', '')
      const late = createImpressionFactory()()
      assert.equal(await outbox.append(late), 'overflow')
      const claimed = await claim(outbox, 2)
      assert.equal(await outbox.append(late), 'overflow')
      await outbox.settle(claimed, claimed.impressions.slice(0, 1), 'delivered')
      assert.equal(await outbox.append(late), 'accepted')
      assert.equal(await outbox.append(createImpressionFactory()()), 'overflow')
    })

    it('always has room for released impressions', async () => {
      const outbox = createOutbox({ maxPending: 3 })
      await fill(outbox, '', '', '')
      const claimed = await claim(outbox)
      await outbox.release(claimed, claimed.impressions)
      assert.equal(outbox.waiting, 3)
      assert.equal(await outbox.append(createImpressionFactory()()), 'overflow')
    })

    it('queues released impressions behind the waiting ones', async () => {
      const outbox = createOutbox()
      const all = await fill(outbox, '', '', '', '')
      const claimed = await claim(outbox, 2)
      await outbox.release(claimed, claimed.impressions)
      const next = await claim(outbox)
      assert.deepEqual(next.impressions, [...all.slice(2), all[0]])
    })

    it('can settle one part of a claim and release another', async () => {
      const outbox = createOutbox()
      const [first, second, third] = await fill(outbox, '', '', '')
      assert(first && second && third)
      const claimed = await claim(outbox)
      await outbox.settle(claimed, [second], 'delivered')
      await outbox.release(claimed, [first])
      await outbox.settle(claimed, [third], 'delivered')
      assert.deepEqual((await claim(outbox)).impressions, [first])
      assert.equal(await outbox.claim(3), undefined)
    })

    it('reports whether a full batch waits', async () => {
      const outbox = createOutbox()
      await fill(outbox, 'a', 'b', 'a', 'b')
      assert.equal(outbox.hasFullBatch, false)
      await fill(outbox, 'b')
      assert.equal(outbox.hasFullBatch, true)
      const claimed = await claim(outbox, 1)
      assert.equal(outbox.hasFullBatch, false)
      await outbox.release(claimed, claimed.impressions)
      assert.equal(outbox.hasFullBatch, true)
    })

    it('claims full batches first', async () => {
      const outbox = createOutbox()
      await fill(outbox, 'a', 'b', 'b', 'b', 'b')
      assert.equal(listKeys(await claim(outbox)), 'bbb')
      assert.equal(listKeys(await claim(outbox)), 'a')
      assert.equal(listKeys(await claim(outbox)), 'b')
    })

    it('serves batch keys in turn, so that a busy key does not starve the others', async () => {
      const outbox = createOutbox({ maxBatch: 10 })
      await fill(outbox, 'a', 'a', 'a', 'a', 'b', 'c')
      const served = []
      for (let n = 0; n < 4; n += 1) served.push(listKeys(await claim(outbox, 1)))
      assert.deepEqual(served, ['a', 'b', 'c', 'a'])
    })

    it('does not let full batches starve a batch that never fills', async () => {
      const outbox = createOutbox()
      await fill(outbox, 'rare')
      const served = []
      for (let n = 0; n < 10; n += 1) {
        await fill(outbox, 'busy', 'busy', 'busy')
        served.push(listKeys(await claim(outbox)))
      }
      assert(served.includes('rare'), served.join(' '))
      assert(served.filter((keys) => keys === 'rare').length === 1)
    })

    it('reports when the impression that is claimed next was tracked', async () => {
      const outbox = createOutbox()
      const createImpression = createImpressionFactory()
      await outbox.append(createImpression({ batchKey: 'a', trackedAtMs: 5 }))
      await outbox.append(createImpression({ batchKey: 'b', trackedAtMs: 7 }))
      assert.equal(outbox.nextTrackedAtMs, 5)
      await outbox.claim(3)
      assert.equal(outbox.nextTrackedAtMs, 7)
    })

    it('expires old waiting impressions, but no claimed ones', async () => {
      const outbox = createOutbox()
      const createImpression = createImpressionFactory()
      const all = [3, 1, 2, 1, 2, 3].map((trackedAtMs, n) =>
        createImpression({ trackedAtMs, batchKey: n < 4 ? 'a' : 'b' }),
      )
      for (const impression of all) await outbox.append(impression)
      const claimed = await claim(outbox, 2)
      const expired = await outbox.expire(3)
      assert.deepEqual(new Set(expired), new Set([all[2], all[3], all[4]]))
      assert.equal(outbox.waiting, 1)
      assert.deepEqual(await outbox.expire(3), [])
      await outbox.release(claimed, claimed.impressions)
      assert.deepEqual(await outbox.expire(3), [all[1]])
      assert.equal(outbox.waiting, 2)
    })

    it('has room again after impressions expire', async () => {
      const outbox = createOutbox({ maxPending: 3 })
      await fill(outbox, '', '', '')
      await outbox.expire(1)
      assert.equal(outbox.hasFullBatch, false)
      await fill(outbox, '', '', '')
    })

    it('claims across batch keys when asked for a mixed claim', async () => {
      const outbox = createOutbox()
      await fill(outbox, 'a', 'b', 'c', 'a')
      const mixed = await outbox.claim(10, true)
      assert.equal(mixed?.impressions.length, 4)
      assert.equal(outbox.waiting, 0)
      assert.equal(outbox.hasFullBatch, false)
      assert.equal(await outbox.claim(10, true), undefined)
    })

    it('puts at most `max` impressions into a mixed claim, and loses none', async () => {
      const outbox = createOutbox()
      const all = await fill(outbox, 'a', 'b', 'c', 'a', 'b')
      const claimed = []
      for (const count of [2, 2, 1]) {
        const mixed = await outbox.claim(2, true)
        assert.equal(mixed?.impressions.length, count)
        claimed.push(...mixed.impressions)
      }
      assert.deepEqual(new Set(claimed), new Set(all))
      assert.equal(await outbox.claim(2), undefined)
    })

    it('keeps each batch key first in, first out in mixed claims', async () => {
      const outbox = createOutbox()
      const all = await fill(outbox, 'a', 'b', 'a', 'b', 'a', 'a', 'b')
      const claimed = []
      for (const isMixed of [true, false, true, true]) {
        claimed.push(...((await outbox.claim(2, isMixed))?.impressions ?? []))
      }
      for (const key of ['a', 'b']) {
        const hasKey = ({ batchKey }: Impression) => batchKey === key
        assert.deepEqual(claimed.filter(hasKey), all.filter(hasKey))
      }
    })

    it('settles and releases the parts of a mixed claim', async () => {
      const outbox = createOutbox({ maxPending: 3 })
      const [first, second, third] = await fill(outbox, 'a', 'b', 'c')
      assert(first && second && third)
      const mixed = await outbox.claim(3, true)
      assert(mixed)
      assert.equal(await outbox.append(createImpressionFactory()()), 'overflow')
      await outbox.settle(mixed, [second], 'delivered')
      await outbox.release(mixed, [first, third])
      assert.equal(outbox.waiting, 2)
      const again = await outbox.claim(3, true)
      assert.deepEqual(new Set(again?.impressions), new Set([first, third]))
    })

    it('loses no impression and claims none twice, in any order of calls', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { maxLength: 80 }), async (steps) => {
          const outbox = createOutbox({ maxPending: MODEL_MAX_PENDING, maxBatch: 3 })
          const model = new OutboxModel(outbox)
          for (const step of steps) await model.run(step)
        }),
      )
    })
  })
}
