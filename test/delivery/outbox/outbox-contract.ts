import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Claim, Outbox, OutboxOptions } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'
import { impressionFactory } from '../impressions.js'
import { OutboxModel, outboxOperation } from './outbox-model.js'

/**
 * Describes what every outbox must do, whether it answers at once or with promises.
 *
 * @param open opens an empty outbox
 */
export function describeOutboxContract(
  name: string,
  open: (options: OutboxOptions) => Outbox,
): void {
  const openOutbox = (options: Partial<OutboxOptions> = {}) =>
    open({ network: 'acme', maxPending: 1_000, maxBatch: 3, ...options })

  async function fill(outbox: Outbox, ...batchKeys: string[]): Promise<Impression[]> {
    const impression = impressionFactory()
    const impressions = batchKeys.map((batchKey) => impression({ batchKey }))
    for (const one of impressions) assert.equal(await outbox.append(one), 'accepted')
    return impressions
  }

  async function claim(outbox: Outbox, max = 3): Promise<Claim> {
    const claimed = await outbox.claim(max)
    assert(claimed, 'nothing was claimed')
    return claimed
  }

  const joinKeys = ({ impressions }: Claim) => impressions.map(({ batchKey }) => batchKey).join('')

  describe(`${name}, by the contract of outboxes`, () => {
    it('returns impressions in the order in which they were appended', async () => {
      const outbox = openOutbox()
      const all = await fill(outbox, '', '', '', '', '')
      assert.deepEqual((await claim(outbox)).impressions, all.slice(0, 3))
      assert.deepEqual((await claim(outbox)).impressions, all.slice(3))
      assert.equal(await outbox.claim(3), undefined)
    })

    it('returns nothing if nothing waits', async () => {
      const outbox = openOutbox()
      assert.equal(await outbox.claim(3), undefined)
      assert.equal(outbox.waiting, 0)
      assert.equal(outbox.hasFullBatch, false)
      assert.equal(outbox.nextTrackedAtMs, undefined)
      assert.deepEqual(await outbox.expire(Number.POSITIVE_INFINITY), [])
      assert.deepEqual(await outbox.recover(), [])
    })

    it('returns at most the requested number of impressions', async () => {
      const outbox = openOutbox()
      await fill(outbox, '', '', '', '')
      assert.equal((await claim(outbox, 1)).impressions.length, 1)
      assert.equal((await claim(outbox, 2)).impressions.length, 2)
    })

    it('returns only impressions with the same batch key in one claim', async () => {
      const outbox = openOutbox()
      await fill(outbox, 'a', 'b', 'a', 'b')
      assert.equal(joinKeys(await claim(outbox)), 'aa')
      assert.equal(joinKeys(await claim(outbox)), 'bb')
    })

    it('counts waiting impressions, but not claimed ones', async () => {
      const outbox = openOutbox()
      await fill(outbox, '', '', '', '')
      assert.equal(outbox.waiting, 4)
      const claimed = await claim(outbox)
      assert.equal(outbox.waiting, 1)
      await outbox.settle(claimed, claimed.impressions)
      assert.equal(outbox.waiting, 1)
    })

    it('accepts at most maxPending impressions, waiting and claimed', async () => {
      const outbox = openOutbox({ maxPending: 3 })
      await fill(outbox, '', '', '')
      const late = impressionFactory()()
      assert.equal(await outbox.append(late), 'overflow')
      const claimed = await claim(outbox, 2)
      assert.equal(await outbox.append(late), 'overflow')
      await outbox.settle(claimed, claimed.impressions.slice(0, 1))
      assert.equal(await outbox.append(late), 'accepted')
      assert.equal(await outbox.append(impressionFactory()()), 'overflow')
    })

    it('always accepts what is released', async () => {
      const outbox = openOutbox({ maxPending: 3 })
      await fill(outbox, '', '', '')
      const claimed = await claim(outbox)
      await outbox.release(claimed, claimed.impressions)
      assert.equal(outbox.waiting, 3)
      assert.equal(await outbox.append(impressionFactory()()), 'overflow')
    })

    it('returns released impressions again, after the waiting ones', async () => {
      const outbox = openOutbox()
      const all = await fill(outbox, '', '', '', '')
      const claimed = await claim(outbox, 2)
      await outbox.release(claimed, claimed.impressions)
      const next = await claim(outbox)
      assert.deepEqual(next.impressions, [...all.slice(2), all[0]])
    })

    it('settles one part of a claim and accepts another part back', async () => {
      const outbox = openOutbox()
      const [first, second, third] = await fill(outbox, '', '', '')
      assert(first && second && third)
      const claimed = await claim(outbox)
      await outbox.settle(claimed, [second])
      await outbox.release(claimed, [first])
      await outbox.settle(claimed, [third])
      assert.deepEqual((await claim(outbox)).impressions, [first])
      assert.equal(await outbox.claim(3), undefined)
    })

    it('reports whether a full batch waits', async () => {
      const outbox = openOutbox()
      await fill(outbox, 'a', 'b', 'a', 'b')
      assert.equal(outbox.hasFullBatch, false)
      await fill(outbox, 'b')
      assert.equal(outbox.hasFullBatch, true)
      const claimed = await claim(outbox, 1)
      assert.equal(outbox.hasFullBatch, false)
      await outbox.release(claimed, claimed.impressions)
      assert.equal(outbox.hasFullBatch, true)
    })

    it('returns full batches first', async () => {
      const outbox = openOutbox()
      await fill(outbox, 'a', 'b', 'b', 'b', 'b')
      assert.equal(joinKeys(await claim(outbox)), 'bbb')
      assert.equal(joinKeys(await claim(outbox)), 'a')
      assert.equal(joinKeys(await claim(outbox)), 'b')
    })

    it('serves batch keys in turn, so that a frequent one does not starve the others', async () => {
      const outbox = openOutbox({ maxBatch: 10 })
      await fill(outbox, 'a', 'a', 'a', 'a', 'b', 'c')
      const served = []
      for (let n = 0; n < 4; n += 1) served.push(joinKeys(await claim(outbox, 1)))
      assert.deepEqual(served, ['a', 'b', 'c', 'a'])
    })

    it('does not let full batches starve a batch that never fills', async () => {
      const outbox = openOutbox()
      await fill(outbox, 'rare')
      const served = []
      for (let n = 0; n < 10; n += 1) {
        await fill(outbox, 'frequent', 'frequent', 'frequent')
        served.push(joinKeys(await claim(outbox)))
      }
      assert(served.includes('rare'), served.join(' '))
      assert(served.filter((keys) => keys === 'rare').length === 1)
    })

    it('reports when the impression that is claimed next was tracked', async () => {
      const outbox = openOutbox()
      const impression = impressionFactory()
      await outbox.append(impression({ batchKey: 'a', trackedAtMs: 5 }))
      await outbox.append(impression({ batchKey: 'b', trackedAtMs: 7 }))
      assert.equal(outbox.nextTrackedAtMs, 5)
      await outbox.claim(3)
      assert.equal(outbox.nextTrackedAtMs, 7)
    })

    it('expires waiting impressions that are too old, but no claimed ones', async () => {
      const outbox = openOutbox()
      const impression = impressionFactory()
      const all = [3, 1, 2, 1, 2, 3].map((trackedAtMs, n) =>
        impression({ trackedAtMs, batchKey: n < 4 ? 'a' : 'b' }),
      )
      for (const one of all) await outbox.append(one)
      const claimed = await claim(outbox, 2)
      const expired = await outbox.expire(3)
      assert.deepEqual(new Set(expired), new Set([all[2], all[3], all[4]]))
      assert.equal(outbox.waiting, 1)
      assert.deepEqual(await outbox.expire(3), [])
      await outbox.release(claimed, claimed.impressions)
      assert.deepEqual(await outbox.expire(3), [all[1]])
      assert.equal(outbox.waiting, 2)
    })

    it('has room again after impressions have expired', async () => {
      const outbox = openOutbox({ maxPending: 3 })
      await fill(outbox, '', '', '')
      await outbox.expire(1)
      assert.equal(outbox.hasFullBatch, false)
      await fill(outbox, '', '', '')
    })

    it('behaves like a simple model, whatever operations are performed', async () => {
      const operations = fc.array(outboxOperation, { maxLength: 80 })
      await fc.assert(
        fc.asyncProperty(operations, async (performed) => {
          const outbox = openOutbox({ maxPending: 12, maxBatch: 3 })
          const model = new OutboxModel(outbox, 12, 3)
          for (const operation of performed) await model.perform(operation)
        }),
      )
    })
  })
}
