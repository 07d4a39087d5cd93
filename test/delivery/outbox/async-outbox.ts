import { MemoryOutbox } from '../../../lib/delivery/outbox/memory-outbox.js'
import type { Claim, Outbox, OutboxOptions, Receipt } from '../../../lib/delivery/outbox/outbox.js'
import type { Impression } from '../../../lib/impression.js'

/** How a question to an outbox fails: it never got there, or its answer was lost. */
export type Failure = 'before' | 'after'

/** An outbox that is elsewhere: it answers by promises, some of which reject, and its claims bear fences. */
export class AsyncOutbox implements Outbox {
  readonly #memory: MemoryOutbox
  readonly #taken = new Set<Impression>()
  readonly #claims = new Map<Claim['fence'], Set<Impression>>()
  #fence = 0
  /** Asked at every question whether, and how, it fails. */
  fail: () => Failure | undefined = () => undefined
  /** What a process that died is said to have had in flight. */
  lost: Impression[] = []
  questions = 0

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
    return this.#answer(() => {
      if (this.#taken.has(impression)) return 'accepted'
      const receipt = this.#memory.append(impression)
      if (receipt === 'accepted') this.#taken.add(impression)
      return receipt
    })
  }

  claim(max: number): Promise<Claim | undefined> {
    const undo = (claim: Claim | undefined) => {
      // An answer that is lost is a claim that nobody has: its fence runs out.
      if (claim) void this.#release(claim, claim.impressions)
    }
    return this.#answer(() => {
      const claim = this.#memory.claim(max)
      if (!claim) return undefined
      this.#fence += 1
      this.#claims.set(this.#fence, new Set(claim.impressions))
      return { impressions: claim.impressions, fence: this.#fence }
    }, undo)
  }

  settle(claim: Claim, impressions: readonly Impression[]): Promise<void> {
    return this.#answer(() => this.#memory.settle(claim, this.#takeFrom(claim, impressions)))
  }

  release(claim: Claim, impressions: readonly Impression[]): Promise<void> {
    return this.#answer(() => this.#release(claim, impressions))
  }

  expire(beforeMs: number): Promise<readonly Impression[]> {
    const undo = (expired: readonly Impression[]) => {
      for (const impression of expired) this.#memory.append(impression)
    }
    return this.#answer(() => this.#memory.expire(beforeMs), undo)
  }

  recover(): Promise<readonly Impression[]> {
    return this.#answer(() => this.lost)
  }

  #release(claim: Claim, impressions: readonly Impression[]): void {
    this.#memory.release(claim, this.#takeFrom(claim, impressions))
  }

  /** Of these, the ones that are still the claim's: what is said twice is done once. */
  #takeFrom({ fence }: Claim, impressions: readonly Impression[]): readonly Impression[] {
    const left = this.#claims.get(fence)
    if (!left) throw new Error(`no claim has the fence ${fence}`)
    return impressions.filter((impression) => left.delete(impression))
  }

  async #answer<Value>(act: () => Value, undo: (value: Value) => void = () => {}): Promise<Value> {
    this.questions += 1
    const failure = this.fail()
    await null
    if (failure === 'before') throw new Error('the outbox is out of reach')
    const value = act()
    await null
    if (failure !== 'after') return value
    undo(value)
    throw new Error('the answer of the outbox was lost')
  }
}
