import type { Impression } from '../../impression.js'
import { MemoryOutbox } from './memory-outbox.js'
import type { Claim } from './outbox.js'

/**
 * The impressions in a shared store that this process may claim or has claimed, by the ids of their
 * records. The store claims by id only; which impressions are claimed next is decided here.
 */
export class ClaimableImpressions {
  readonly #byId = new Map<string, Impression>()
  readonly #ids = new Map<Impression, string>()
  readonly #maxBatch: number
  #queue: MemoryOutbox
  #pendingHere = 0

  constructor(maxBatch: number) {
    this.#maxBatch = maxBatch
    this.#queue = this.#createQueue()
  }

  get waiting(): number {
    return this.#queue.waiting
  }

  get hasFullBatch(): boolean {
    return this.#queue.hasFullBatch
  }

  get nextTrackedAtMs(): number | undefined {
    return this.#queue.nextTrackedAtMs
  }

  /** How many of them `stats()` counts as pending in this process. */
  get pendingHere(): number {
    return this.#pendingHere
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  getId(impression: Impression): string {
    const id = this.#ids.get(impression)
    if (id === undefined) throw new RangeError('the impression is not in the store')
    return id
  }

  /** The record waits, or is claimed here: whatever is claimed counts as pending in this process. */
  add(id: string, impression: Impression, state: 'waiting' | 'claimed'): void {
    this.#byId.set(id, impression)
    this.#ids.set(impression, id)
    if (isCountedHere(impression) || state === 'claimed') this.#pendingHere += 1
    if (state === 'waiting') this.#queue.append(impression)
  }

  /** See `Outbox.claim`. What other processes appended counts as pending here from now on. */
  claim(max: number, isMixed: boolean): readonly Impression[] {
    const impressions = this.#queue.claim(max, isMixed)?.impressions ?? []
    this.#pendingHere += impressions.filter((impression) => !isCountedHere(impression)).length
    return impressions
  }

  /** The store has not claimed them after all. */
  putBack(impressions: readonly Impression[]): void {
    this.#pendingHere -= impressions.filter((impression) => !isCountedHere(impression)).length
    this.release({ impressions }, impressions)
  }

  release(claim: Claim, impressions: readonly Impression[]): void {
    this.#queue.release(claim, impressions)
  }

  /** Removes claimed impressions, and returns their ids. */
  settle(claim: Claim, impressions: readonly Impression[]): string[] {
    this.#queue.settle(claim, impressions)
    return this.#remove(impressions)
  }

  /** Removes waiting impressions that were tracked before `beforeMs`. */
  expire(beforeMs: number): {
    readonly ids: string[]
    readonly impressions: readonly Impression[]
  } {
    const impressions = this.#queue.expire(beforeMs)
    return { ids: this.#remove(impressions), impressions }
  }

  /** Removes everything, and returns what counts as pending in this process. */
  clear(): Impression[] {
    const countedHere = [...this.#byId.values()].filter(isCountedHere)
    this.#byId.clear()
    this.#ids.clear()
    this.#queue = this.#createQueue()
    this.#pendingHere = 0
    return countedHere
  }

  #remove(impressions: readonly Impression[]): string[] {
    return impressions.map((impression) => {
      const id = this.getId(impression)
      this.#ids.delete(impression)
      this.#byId.delete(id)
      if (isCountedHere(impression)) this.#pendingHere -= 1
      return id
    })
  }

  /** The store enforces `maxPending`. */
  #createQueue(): MemoryOutbox {
    return new MemoryOutbox({ maxPending: Number.POSITIVE_INFINITY, maxBatch: this.#maxBatch })
  }
}

/** What other processes appended counts here once it is claimed and has a sequence. */
export function isCountedHere({ sequence }: Impression): boolean {
  return sequence > 0
}
