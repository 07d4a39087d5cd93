import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Claim, Outbox, OutboxOptions } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'
import { impressionFactory } from '../impressions.js'

/** What every outbox must do, however it answers: `open` opens an empty one. */
export function outboxContract(name: string, open: (options: OutboxOptions) => Outbox): void {
  const opened = (options: Partial<OutboxOptions> = {}) =>
    open({ network: 'acme', maxPending: 1_000, maxBatch: 3, ...options })

  async function fill(outbox: Outbox, ...batchKeys: string[]): Promise<Impression[]> {
    const impression = impressionFactory()
    const all = batchKeys.map((batchKey) => impression({ batchKey }))
    for (const one of all) assert.equal(await outbox.append(one), 'accepted')
    return all
  }

  async function claim(outbox: Outbox, max = 3): Promise<Claim> {
    const claimed = await outbox.claim(max)
    assert(claimed, 'something waits')
    return claimed
  }

  const keysOf = ({ impressions }: Claim) => impressions.map(({ batchKey }) => batchKey).join('')

  describe(`${name}, as an outbox`, () => {
    it('gives out what it took, first come first served', async () => {
      const outbox = opened()
      const all = await fill(outbox, '', '', '', '', '')
      assert.deepEqual((await claim(outbox)).impressions, all.slice(0, 3))
      assert.deepEqual((await claim(outbox)).impressions, all.slice(3))
      assert.equal(await outbox.claim(3), undefined)
    })

    it('gives nothing where nothing waits', async () => {
      const outbox = opened()
      assert.equal(await outbox.claim(3), undefined)
      assert.equal(outbox.waiting, 0)
      assert.equal(outbox.hasFullBatch, false)
      assert.equal(outbox.nextTrackedAtMs, undefined)
      assert.deepEqual(await outbox.expire(Number.POSITIVE_INFINITY), [])
      assert.deepEqual(await outbox.recover(), [])
    })

    it('gives out no more than it is asked for', async () => {
      const outbox = opened()
      await fill(outbox, '', '', '', '')
      assert.equal((await claim(outbox, 1)).impressions.length, 1)
      assert.equal((await claim(outbox, 2)).impressions.length, 2)
    })

    it('gives out together only what may share one call', async () => {
      const outbox = opened()
      await fill(outbox, 'a', 'b', 'a', 'b')
      assert.equal(keysOf(await claim(outbox)), 'aa')
      assert.equal(keysOf(await claim(outbox)), 'bb')
    })

    it('counts what waits, and not what is claimed', async () => {
      const outbox = opened()
      await fill(outbox, '', '', '', '')
      assert.equal(outbox.waiting, 4)
      const claimed = await claim(outbox)
      assert.equal(outbox.waiting, 1)
      await outbox.settle(claimed, claimed.impressions)
      assert.equal(outbox.waiting, 1)
    })

    it('takes no more than its bound, in which what is claimed counts as well', async () => {
      const outbox = opened({ maxPending: 3 })
      await fill(outbox, '', '', '')
      const late = impressionFactory()()
      assert.equal(await outbox.append(late), 'overflow')
      const claimed = await claim(outbox, 2)
      assert.equal(await outbox.append(late), 'overflow')
      await outbox.settle(claimed, claimed.impressions.slice(0, 1))
      assert.equal(await outbox.append(late), 'accepted')
      assert.equal(await outbox.append(impressionFactory()()), 'overflow')
    })

    it('always has room for what is released', async () => {
      const outbox = opened({ maxPending: 3 })
      await fill(outbox, '', '', '')
      const claimed = await claim(outbox)
      await outbox.release(claimed, claimed.impressions)
      assert.equal(outbox.waiting, 3)
      assert.equal(await outbox.append(impressionFactory()()), 'overflow')
    })

    it('gives out again what is released, behind what waits', async () => {
      const outbox = opened()
      const all = await fill(outbox, '', '', '', '')
      const claimed = await claim(outbox, 2)
      await outbox.release(claimed, claimed.impressions)
      const next = await claim(outbox)
      assert.deepEqual(next.impressions, [...all.slice(2), all[0]])
    })

    it('settles one part of a claim and takes back another', async () => {
      const outbox = opened()
      const [first, second, third] = await fill(outbox, '', '', '')
      assert(first && second && third)
      const claimed = await claim(outbox)
      await outbox.settle(claimed, [second])
      await outbox.release(claimed, [first])
      await outbox.settle(claimed, [third])
      assert.deepEqual((await claim(outbox)).impressions, [first])
      assert.equal(await outbox.claim(3), undefined)
    })

    it('knows whether a full batch waits', async () => {
      const outbox = opened()
      await fill(outbox, 'a', 'b', 'a', 'b')
      assert.equal(outbox.hasFullBatch, false)
      await fill(outbox, 'b')
      assert.equal(outbox.hasFullBatch, true)
      const claimed = await claim(outbox, 1)
      assert.equal(outbox.hasFullBatch, false)
      await outbox.release(claimed, claimed.impressions)
      assert.equal(outbox.hasFullBatch, true)
    })

    it('gives out full batches first', async () => {
      const outbox = opened()
      await fill(outbox, 'a', 'b', 'b', 'b', 'b')
      assert.equal(keysOf(await claim(outbox)), 'bbb')
      assert.equal(keysOf(await claim(outbox)), 'a')
      assert.equal(keysOf(await claim(outbox)), 'b')
    })

    it('serves all batch keys in turn, so that a busy one starves none', async () => {
      const outbox = opened({ maxBatch: 10 })
      await fill(outbox, 'a', 'a', 'a', 'a', 'b', 'c')
      const served = []
      for (let n = 0; n < 4; n += 1) served.push(keysOf(await claim(outbox, 1)))
      assert.deepEqual(served, ['a', 'b', 'c', 'a'])
    })

    it('does not let full batches starve one that never fills', async () => {
      const outbox = opened()
      await fill(outbox, 'rare')
      const served = []
      for (let n = 0; n < 10; n += 1) {
        await fill(outbox, 'busy', 'busy', 'busy')
        served.push(keysOf(await claim(outbox)))
      }
      assert(served.includes('rare'), served.join(' '))
      assert(served.filter((keys) => keys === 'rare').length === 1)
    })

    it('tells when the impression that is claimed next was tracked', async () => {
      const outbox = opened()
      const impression = impressionFactory()
      await outbox.append(impression({ batchKey: 'a', trackedAtMs: 5 }))
      await outbox.append(impression({ batchKey: 'b', trackedAtMs: 7 }))
      assert.equal(outbox.nextTrackedAtMs, 5)
      await outbox.claim(3)
      assert.equal(outbox.nextTrackedAtMs, 7)
    })

    it('takes out what is older, and nothing that is claimed', async () => {
      const outbox = opened()
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

    it('makes room by what expires', async () => {
      const outbox = opened({ maxPending: 3 })
      await fill(outbox, '', '', '')
      await outbox.expire(1)
      assert.equal(outbox.hasFullBatch, false)
      await fill(outbox, '', '', '')
    })

    it('loses nothing and gives nothing out twice, whatever is asked of it', async () => {
      const move = fc.record({
        does: fc.constantFrom<Move>('append', 'append', 'claim', 'settle', 'release', 'expire'),
        key: fc.constantFrom(...BATCH_KEYS),
        pick: fc.nat(),
        max: fc.integer({ min: 1, max: 5 }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(move, { maxLength: 80 }), async (moves) => {
          const outbox = new ModelledOutbox(
            opened({ maxPending: MAX_PENDING, maxBatch: MAX_BATCH }),
          )
          for (const { does, key, pick, max } of moves) await outbox.move(does, key, pick, max)
        }),
      )
    })
  })
}

const MAX_PENDING = 12
const MAX_BATCH = 3
const BATCH_KEYS = ['a', 'b', 'c'] as const

type Move = 'append' | 'claim' | 'settle' | 'release' | 'expire'

/** An outbox beside a simple model of it: after each move, both must agree. */
class ModelledOutbox {
  readonly #outbox: Outbox
  readonly #createImpression = impressionFactory()
  readonly #waiting = new Set<Impression>()
  readonly #claims: { readonly claim: Claim; readonly left: Impression[] }[] = []
  #nowMs = 0

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  async move(move: Move, batchKey: string, pick: number, max: number): Promise<void> {
    this.#nowMs += 1
    if (move === 'append') await this.#append(batchKey)
    else if (move === 'claim') await this.#claim(max)
    else if (move === 'expire') await this.#expire(this.#nowMs - max)
    else await this.#giveBack(move, pick, max)
    const countOf = (key: string) =>
      [...this.#waiting].filter((impression) => impression.batchKey === key).length
    assert.equal(this.#outbox.waiting, this.#waiting.size)
    assert.equal(
      this.#outbox.hasFullBatch,
      BATCH_KEYS.some((key) => countOf(key) >= MAX_BATCH),
    )
  }

  async #append(batchKey: string): Promise<void> {
    const impression = this.#createImpression({ batchKey, trackedAtMs: this.#nowMs })
    const claimed = this.#claims.reduce((sum, { left }) => sum + left.length, 0)
    const expected = this.#waiting.size + claimed < MAX_PENDING ? 'accepted' : 'overflow'
    assert.equal(await this.#outbox.append(impression), expected)
    if (expected === 'accepted') this.#waiting.add(impression)
  }

  async #claim(max: number): Promise<void> {
    const claim = await this.#outbox.claim(max)
    assert.equal(claim === undefined, this.#waiting.size === 0)
    if (!claim) return
    const { impressions } = claim
    assert(impressions.length > 0 && impressions.length <= max)
    assert.equal(new Set(impressions.map(({ batchKey }) => batchKey)).size, 1)
    for (const impression of impressions) assert(this.#waiting.delete(impression), 'it waited')
    this.#claims.push({ claim, left: [...impressions] })
  }

  async #expire(beforeMs: number): Promise<void> {
    const expired = await this.#outbox.expire(beforeMs)
    const old = [...this.#waiting].filter(({ trackedAtMs }) => trackedAtMs < beforeMs)
    assert.deepEqual(new Set(expired), new Set(old))
    for (const impression of old) this.#waiting.delete(impression)
  }

  async #giveBack(move: 'settle' | 'release', pick: number, max: number): Promise<void> {
    const held = this.#claims[pick % Math.max(1, this.#claims.length)]
    if (!held) return
    const part = held.left.splice(0, max)
    if (move === 'settle') await this.#outbox.settle(held.claim, part)
    else await this.#outbox.release(held.claim, part)
    if (move === 'release') for (const impression of part) this.#waiting.add(impression)
  }
}
