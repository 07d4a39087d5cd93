import type { Clock } from '../clock.js'
import type { Impression } from '../impression.js'
import type { Claim } from './outbox/outbox.js'

/** Impressions of one claim: all of it, or the part that is left. */
export interface Batch {
  readonly claim: Claim
  readonly impressions: readonly Impression[]
}

/** Claimed batches that are sent again as they are, and never merged with others. */
export class RetryBatches {
  /** A stack: one half of a split batch is finished before the other half begins. */
  #ready: Batch[] = []
  /** What is left of each delayed batch: some of its impressions may have expired. */
  readonly #delayed = new Map<Batch, Batch>()

  /** Whether a batch may be sent now. */
  get isReady(): boolean {
    return this.#ready.length > 0
  }

  /** Cuts a batch in two, to be sent before anything else. */
  halve(batch: Batch): void {
    this.#ready.push(...halve(batch).reverse())
  }

  /** Keeps a batch back for `delayMs`; then calls `onReady`. */
  delay(batch: Batch, delayMs: number, clock: Clock, onReady: () => void): void {
    this.#delayed.set(batch, batch)
    clock.after(delayMs, () => {
      const rest = this.#delayed.get(batch)
      if (!rest) return
      this.#delayed.delete(batch)
      // After the halves of split batches, since this one has failed before.
      this.#ready.unshift(rest)
      onReady()
    })
  }

  /** Removes a batch of at most `max` impressions; the rest of it stays. */
  take(max: number): Batch | undefined {
    const batch = this.#ready.pop()
    if (!batch || batch.impressions.length <= max) return batch
    const { claim, impressions } = batch
    this.#ready.push({ claim, impressions: impressions.slice(max) })
    return { claim, impressions: impressions.slice(0, max) }
  }

  /** Removes the impressions that were tracked before `beforeMs`. */
  expire(beforeMs: number): Batch[] {
    const expired: Batch[] = []
    const keepYoung = (batch: Batch): Batch[] => {
      const [old, young] = splitByAge(batch, beforeMs)
      if (!old) return [batch]
      expired.push(old)
      return young ? [young] : []
    }
    this.#ready = this.#ready.flatMap(keepYoung)
    for (const [key, batch] of this.#delayed) {
      const [rest] = keepYoung(batch)
      if (rest) this.#delayed.set(key, rest)
      else this.#delayed.delete(key)
    }
    return expired
  }
}

/** Two halves of a batch, or the batch if it has one impression. */
export function halve(batch: Batch): Batch[] {
  const { claim, impressions } = batch
  if (impressions.length < 2) return [batch]
  const middle = impressions.length >> 1
  return [
    { claim, impressions: impressions.slice(0, middle) },
    { claim, impressions: impressions.slice(middle) },
  ]
}

/** The part of a batch that was tracked before `beforeMs`, and the rest; `undefined` if empty. */
export function splitByAge(
  batch: Batch,
  beforeMs: number,
): readonly [old: Batch | undefined, young: Batch | undefined] {
  const { claim, impressions } = batch
  const isYoung = ({ trackedAtMs }: Impression) => trackedAtMs >= beforeMs
  if (impressions.length === 0) return [undefined, undefined]
  if (impressions.every(isYoung)) return [undefined, batch]
  const young = impressions.filter(isYoung)
  const old = impressions.filter((impression) => !isYoung(impression))
  return [{ claim, impressions: old }, young.length > 0 ? { claim, impressions: young } : undefined]
}
