import { MemoryOutbox } from '../../../lib/delivery/outbox/memory-outbox.js'
import type { Claim, Outbox, OutboxOptions, Receipt } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'

/** How an operation fails: before it is done, or after, so that only its answer is lost. */
export type Failure = 'before' | 'after'

/** A remote outbox: it answers with promises, may fail, and its claims have fencing tokens. */
export class AsyncOutbox implements Outbox {
  readonly #memory: MemoryOutbox
  readonly #accepted = new Set<Impression>()
  readonly #claims = new Map<Claim['fence'], Set<Impression>>()
  #lastFence = 0
  /** Decides for each operation whether and how it fails. */
  fail: () => Failure | undefined = () => undefined
  /** What `recover()` returns: the impressions that a dead process had in flight. */
  lost: Impression[] = []
  /** How many operations were requested. */
  operations = 0

  constructor(options: Pick<OutboxOptions, 'maxPending' | 'maxBatch'>) {
    this.#memory = new MemoryOutbox(options)
  }

  get waiting(): number {
    return this.#memory.waiting
  }

  get hasFullBatch(): boolean {
    return this.#memory.hasFullBatch
  }

  get nextTrackedAtMs(): number | undefined {
    return this.#memory.nextTrackedAtMs
  }

  append(impression: Impression): Promise<Receipt> {
    return this.#perform(() => {
      if (this.#accepted.has(impression)) return 'accepted'
      const receipt = this.#memory.append(impression)
      if (receipt === 'accepted') this.#accepted.add(impression)
      return receipt
    })
  }

  claim(max: number): Promise<Claim | undefined> {
    // Nobody has a claim whose answer was lost: its lease runs out.
    const undo = (claim: Claim | undefined) => {
      if (claim) this.#release(claim, claim.impressions)
    }
    return this.#perform(() => {
      const claim = this.#memory.claim(max)
      if (!claim) return undefined
      this.#lastFence += 1
      this.#claims.set(this.#lastFence, new Set(claim.impressions))
      return { impressions: claim.impressions, fence: this.#lastFence }
    }, undo)
  }

  settle(claim: Claim, impressions: readonly Impression[]): Promise<void> {
    return this.#perform(() =>
      this.#memory.settle(claim, this.#removeFromClaim(claim, impressions)),
    )
  }

  release(claim: Claim, impressions: readonly Impression[]): Promise<void> {
    return this.#perform(() => this.#release(claim, impressions))
  }

  expire(beforeMs: number): Promise<readonly Impression[]> {
    const undo = (expired: readonly Impression[]) => {
      for (const impression of expired) this.#memory.append(impression)
    }
    return this.#perform(() => this.#memory.expire(beforeMs), undo)
  }

  recover(): Promise<readonly Impression[]> {
    return this.#perform(() => this.lost)
  }

  #release(claim: Claim, impressions: readonly Impression[]): void {
    this.#memory.release(claim, this.#removeFromClaim(claim, impressions))
  }

  /** Returns the ones that the claim still had, so that a repeated operation has no effect. */
  #removeFromClaim({ fence }: Claim, impressions: readonly Impression[]): readonly Impression[] {
    const claimed = this.#claims.get(fence)
    if (!claimed) throw new Error(`no claim has the fence ${fence}`)
    return impressions.filter((impression) => claimed.delete(impression))
  }

  /** @param undo reverts an operation whose answer is lost */
  async #perform<Value>(
    operation: () => Value,
    undo: (value: Value) => void = () => {},
  ): Promise<Value> {
    this.operations += 1
    const failure = this.fail()
    await null
    if (failure === 'before') throw new Error('the outbox is unreachable')
    const value = operation()
    await null
    if (failure !== 'after') return value
    undo(value)
    throw new Error('the answer of the outbox was lost')
  }
}
