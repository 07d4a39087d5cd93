import type { Clock } from '../clock.js'
import type { Impression } from '../impression.js'
import type { Claim } from './outbox/outbox.js'

/** Impressions of one claim: all of it, or the part that is left to be sent. */
export interface Batch {
  readonly claim: Claim
  readonly impressions: readonly Impression[]
}

/** The claimed batches that delivery keeps, to send them again as they are and not in any other. */
export class RetryBatches {
  /** The last one goes first: of two halves, one is done with before the other begins. */
  #ready: Batch[] = []
  readonly #aside = new Set<Batch>()

  /** Whether a batch may be taken. */
  get isReady(): boolean {
    return this.#ready.length > 0
  }

  /** Cuts a batch in two, to be sent before anything else. */
  halve({ claim, impressions }: Batch): void {
    const half = impressions.length >> 1
    this.#ready.push(
      { claim, impressions: impressions.slice(half) },
      { claim, impressions: impressions.slice(0, half) },
    )
  }

  /** Keeps a batch from being sent for a while; then calls `onReady`. */
  setAside(batch: Batch, delayMs: number, clock: Clock, onReady: () => void): void {
    this.#aside.add(batch)
    clock.after(delayMs, () => {
      if (!this.#aside.delete(batch)) return
      // Behind the halves: it has failed before.
      this.#ready.unshift(batch)
      onReady()
    })
  }

  /** A batch of at most `max`; what is more stays here. */
  take(max: number): Batch | undefined {
    const batch = this.#ready.pop()
    if (!batch || batch.impressions.length <= max) return batch
    const { claim, impressions } = batch
    this.#ready.push({ claim, impressions: impressions.slice(max) })
    return { claim, impressions: impressions.slice(0, max) }
  }

  /** Takes out all that was tracked before `beforeMs`. */
  expire(beforeMs: number): Batch[] {
    const expired: Batch[] = []
    const keepYoung = (batch: Batch): Batch[] => {
      const [old, young] = splitByAge(batch, beforeMs)
      if (!old) return [batch]
      expired.push(old)
      return young ? [young] : []
    }
    this.#ready = this.#ready.flatMap(keepYoung)
    for (const batch of this.#aside) {
      if (keepYoung(batch)[0] !== batch) this.#aside.delete(batch)
    }
    return expired
  }
}

/** The part of a batch that was tracked before `beforeMs`, and the rest; `undefined` for none. */
export function splitByAge(
  batch: Batch,
  beforeMs: number,
): readonly [old: Batch | undefined, young: Batch | undefined] {
  const { claim, impressions } = batch
  const isYoung = ({ trackedAtMs }: Impression) => trackedAtMs >= beforeMs
  if (impressions.every(isYoung)) return [undefined, batch]
  const young = impressions.filter(isYoung)
  const old = impressions.filter((impression) => !isYoung(impression))
  return [{ claim, impressions: old }, young.length > 0 ? { claim, impressions: young } : undefined]
}
