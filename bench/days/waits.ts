/** Hundredths of a second up to ten minutes, then whole seconds up to a day. */
const FINE_MS = 600_000

/** Waiting times, millions of them in little memory. */
export class Waits {
  readonly #hundredths = new Float64Array(FINE_MS / 10)
  readonly #seconds = new Float64Array(86_400)
  #count = 0
  #worstMs = 0

  add(waitMs: number): void {
    this.#count += 1
    if (waitMs > this.#worstMs) this.#worstMs = waitMs
    const buckets = waitMs < FINE_MS ? this.#hundredths : this.#seconds
    const bucket = Math.floor(waitMs / (waitMs < FINE_MS ? 10 : 1_000))
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }

  get worstMs(): number {
    return this.#worstMs
  }

  get medianMs(): number {
    let below = 0
    for (const [bucket, count] of this.#hundredths.entries()) {
      below += count
      if (below * 2 >= this.#count) return bucket * 10
    }
    for (const [bucket, count] of this.#seconds.entries()) {
      below += count
      if (below * 2 >= this.#count) return bucket * 1_000
    }
    return 0
  }
}
