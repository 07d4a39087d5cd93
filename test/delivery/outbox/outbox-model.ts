import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Claim, Outbox } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'
import { createImpressionFactory } from '../impressions.js'

const MODEL_KEYS = ['a', 'b', 'c']
export const MODEL_MAX_PENDING = 12

export const STEP = fc.record({
  method: fc.constantFrom<Step['method']>(
    ...(['append', 'append', 'claim', 'claimMixed', 'settle', 'release', 'expire'] as const),
  ),
  key: fc.constantFrom(...MODEL_KEYS),
  pick: fc.nat(),
  max: fc.integer({ min: 1, max: 5 }),
})

export interface Step {
  method: 'append' | 'claim' | 'claimMixed' | 'settle' | 'release' | 'expire'
  key: string
  /** Selects the claim to settle or release. */
  pick: number
  max: number
}

/** What an outbox should contain: runs steps on both and compares them. */
export class OutboxModel {
  readonly #outbox: Outbox
  readonly #createImpression = createImpressionFactory()
  readonly #waiting = new Set<Impression>()
  readonly #claims: { claim: Claim; unsettled: Impression[] }[] = []
  #nowMs = 0

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  async run({ method, key, pick, max }: Step): Promise<void> {
    this.#nowMs += 1
    if (method === 'append') await this.#append(key)
    else if (method === 'expire') await this.#expire(this.#nowMs - max)
    else if (method === 'claim' || method === 'claimMixed') {
      await this.#claim(max, method === 'claimMixed')
    } else await this.#finish(method, pick, max)
    this.#compare()
  }

  async #append(batchKey: string): Promise<void> {
    const impression = this.#createImpression({ batchKey, trackedAtMs: this.#nowMs })
    const claimed = this.#claims.reduce((sum, { unsettled }) => sum + unsettled.length, 0)
    const hasRoom = this.#waiting.size + claimed < MODEL_MAX_PENDING
    assert.equal(await this.#outbox.append(impression), hasRoom ? 'accepted' : 'overflow')
    if (hasRoom) this.#waiting.add(impression)
  }

  async #claim(max: number, isMixed: boolean): Promise<void> {
    const claim = await this.#outbox.claim(max, isMixed)
    assert.equal(claim === undefined, this.#waiting.size === 0)
    if (!claim) return
    const { impressions } = claim
    assert(impressions.length > 0 && impressions.length <= max)
    if (!isMixed) assert.equal(new Set(impressions.map(({ batchKey }) => batchKey)).size, 1)
    for (const impression of impressions) assert(this.#waiting.delete(impression), 'it waited')
    this.#claims.push({ claim, unsettled: [...impressions] })
  }

  async #expire(beforeMs: number): Promise<void> {
    const expired = await this.#outbox.expire(beforeMs)
    const old = [...this.#waiting].filter(({ trackedAtMs }) => trackedAtMs < beforeMs)
    assert.deepEqual(new Set(expired), new Set(old))
    for (const impression of old) this.#waiting.delete(impression)
  }

  async #finish(method: 'settle' | 'release', pick: number, max: number): Promise<void> {
    const picked = this.#claims[pick % Math.max(1, this.#claims.length)]
    if (!picked) return
    const part = picked.unsettled.splice(0, max)
    if (method === 'settle') {
      await this.#outbox.settle(picked.claim, part, 'delivered')
      return
    }
    await this.#outbox.release(picked.claim, part)
    for (const impression of part) this.#waiting.add(impression)
  }

  #compare(): void {
    const keys = [...this.#waiting].map(({ batchKey }) => batchKey)
    const isFull = MODEL_KEYS.some((key) => keys.filter((other) => other === key).length >= 3)
    assert.equal(this.#outbox.waiting, this.#waiting.size)
    assert.equal(this.#outbox.hasFullBatch, isFull)
  }
}
