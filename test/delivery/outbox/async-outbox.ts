import { MemoryOutbox } from '../../../lib/delivery/outbox/memory-outbox.js'
import type { Claim, Outbox, OutboxOptions, Receipt } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'

/** How a call to the outbox fails: before it takes effect, or after, when its result is lost. */
export type Failure = 'before' | 'after'

/** An outbox like one on another machine: it returns promises, can fail, and fences its claims. */
export class AsyncOutbox implements Outbox {
  readonly #memory: MemoryOutbox
  readonly #accepted = new Set<Impression>()
  readonly #claims = new Map<Claim['fence'], Set<Impression>>()
  #fence = 0
  /** Called before every operation: whether and how it fails. */
  fail: () => Failure | undefined = () => undefined
  /** The impressions that `recover` returns: in flight when their process died. */
  lost: Impression[] = []
  /** Operations so far, failed ones included. */
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
    return this.#respond(() => {
      if (this.#accepted.has(impression)) return 'accepted'
      const receipt = this.#memory.append(impression)
      if (receipt === 'accepted') this.#accepted.add(impression)
      return receipt
    })
  }

  claim(max: number, isMixed = false): Promise<Claim | undefined> {
    const undo = (claim: Claim | undefined) => {
      // If the result is lost, nobody holds the claim: release it as if its lease had expired.
      if (claim) void this.#release(claim, claim.impressions)
    }
    return this.#respond(() => {
      const claim = this.#memory.claim(max, isMixed)
      if (!claim) return undefined
      this.#fence += 1
      this.#claims.set(this.#fence, new Set(claim.impressions))
      return { impressions: claim.impressions, fence: this.#fence }
    }, undo)
  }

  settle(claim: Claim, impressions: readonly Impression[]): Promise<void> {
    return this.#respond(() =>
      this.#memory.settle(claim, this.#removeFromClaim(claim, impressions)),
    )
  }

  release(claim: Claim, impressions: readonly Impression[]): Promise<void> {
    return this.#respond(() => this.#release(claim, impressions))
  }

  expire(beforeMs: number): Promise<readonly Impression[]> {
    const undo = (expired: readonly Impression[]) => {
      for (const impression of expired) this.#memory.append(impression)
    }
    return this.#respond(() => this.#memory.expire(beforeMs), undo)
  }

  recover(): Promise<readonly Impression[]> {
    return this.#respond(() => this.lost)
  }

  #release(claim: Claim, impressions: readonly Impression[]): void {
    this.#memory.release(claim, this.#removeFromClaim(claim, impressions))
  }

  /** The impressions that the claim still holds, so that a repeated call has no effect. */
  #removeFromClaim({ fence }: Claim, impressions: readonly Impression[]): readonly Impression[] {
    const held = this.#claims.get(fence)
    if (!held) throw new Error(`no claim has the fence ${fence}`)
    return impressions.filter((impression) => held.delete(impression))
  }

  async #respond<Value>(
    operate: () => Value,
    undo: (value: Value) => void = () => {},
  ): Promise<Value> {
    this.operations += 1
    const failure = this.fail()
    await null
    if (failure === 'before') throw new Error('the outbox is unreachable')
    const value = operate()
    await null
    if (failure !== 'after') return value
    undo(value)
    throw new Error('the result of the outbox operation was lost')
  }
}
