import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Claim, Outbox } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'
import { impressionFactory } from '../impressions.js'

const BATCH_KEYS = ['a', 'b', 'c'] as const

/** An operation on an outbox, with the parameters that it may need. */
export interface OutboxOperation {
  readonly does: 'append' | 'claim' | 'settle' | 'release' | 'expire'
  readonly batchKey: string
  /** Selects the claim that is settled or released. */
  readonly claim: number
  /** Most impressions, or the age at which they expire. */
  readonly max: number
}

export const outboxOperation: fc.Arbitrary<OutboxOperation> = fc.record({
  does: fc.constantFrom('append', 'append', 'claim', 'settle', 'release', 'expire'),
  batchKey: fc.constantFrom(...BATCH_KEYS),
  claim: fc.nat(),
  max: fc.integer({ min: 1, max: 5 }),
})

/** Performs operations on an outbox, and compares each result with a simple model of an outbox. */
export class OutboxModel {
  readonly #outbox: Outbox
  readonly #maxPending: number
  readonly #maxBatch: number
  readonly #createImpression = impressionFactory()
  readonly #waiting = new Set<Impression>()
  readonly #claims: { readonly claim: Claim; readonly unsettled: Impression[] }[] = []
  #nowMs = 0

  constructor(outbox: Outbox, maxPending: number, maxBatch: number) {
    this.#outbox = outbox
    this.#maxPending = maxPending
    this.#maxBatch = maxBatch
  }

  async perform({ does, batchKey, claim, max }: OutboxOperation): Promise<void> {
    this.#nowMs += 1
    if (does === 'append') await this.#append(batchKey)
    else if (does === 'claim') await this.#claim(max)
    else if (does === 'expire') await this.#expire(this.#nowMs - max)
    else await this.#endPart(does, claim, max)
    assert.equal(this.#outbox.waiting, this.#waiting.size)
    assert.equal(this.#outbox.hasFullBatch, this.#hasFullBatch())
  }

  async #append(batchKey: string): Promise<void> {
    const impression = this.#createImpression({ batchKey, trackedAtMs: this.#nowMs })
    const claimed = this.#claims.reduce((sum, { unsettled }) => sum + unsettled.length, 0)
    const hasRoom = this.#waiting.size + claimed < this.#maxPending
    assert.equal(await this.#outbox.append(impression), hasRoom ? 'accepted' : 'overflow')
    if (hasRoom) this.#waiting.add(impression)
  }

  async #claim(max: number): Promise<void> {
    const claim = await this.#outbox.claim(max)
    assert.equal(claim === undefined, this.#waiting.size === 0)
    if (!claim) return
    const { impressions } = claim
    assert(impressions.length > 0 && impressions.length <= max)
    assert.equal(new Set(impressions.map(({ batchKey }) => batchKey)).size, 1)
    for (const impression of impressions) {
      assert(this.#waiting.delete(impression), 'a claimed impression was not waiting')
    }
    this.#claims.push({ claim, unsettled: [...impressions] })
  }

  async #expire(beforeMs: number): Promise<void> {
    const expired = await this.#outbox.expire(beforeMs)
    const old = [...this.#waiting].filter(({ trackedAtMs }) => trackedAtMs < beforeMs)
    assert.deepEqual(new Set(expired), new Set(old))
    for (const impression of old) this.#waiting.delete(impression)
  }

  /** Settles or releases up to `max` impressions of a claim. */
  async #endPart(does: 'settle' | 'release', index: number, max: number): Promise<void> {
    const claimed = this.#claims[index % Math.max(1, this.#claims.length)]
    if (!claimed) return
    const part = claimed.unsettled.splice(0, max)
    await this.#outbox[does](claimed.claim, part)
    if (does === 'release') for (const impression of part) this.#waiting.add(impression)
  }

  #hasFullBatch(): boolean {
    const waitingKeys = [...this.#waiting].map(({ batchKey }) => batchKey)
    return BATCH_KEYS.some(
      (key) => waitingKeys.filter((other) => other === key).length >= this.#maxBatch,
    )
  }
}
