/** Up to here, waiting times are counted by hundredths of a second; above, by whole seconds. */
const FINE_LIMIT_MS = 600_000
const FINE_BUCKET_MS = 10
const COARSE_BUCKET_MS = 1_000
/** 24 hours of whole seconds. */
const COARSE_BUCKETS = 86_400

/** A histogram of waiting times: millions of them, of at most a day each, in little memory. */
export class WaitTimes {
  readonly #fineCounts = new Float64Array(FINE_LIMIT_MS / FINE_BUCKET_MS)
  readonly #coarseCounts = new Float64Array(COARSE_BUCKETS)
  #count = 0
  #longestMs = 0

  add(waitMs: number): void {
    this.#count += 1
    if (waitMs > this.#longestMs) this.#longestMs = waitMs
    const isFine = waitMs < FINE_LIMIT_MS
    const counts = isFine ? this.#fineCounts : this.#coarseCounts
    const bucket = Math.floor(waitMs / (isFine ? FINE_BUCKET_MS : COARSE_BUCKET_MS))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }

  get longestMs(): number {
    return this.#longestMs
  }

  get medianMs(): number {
    let below = 0
    for (const [bucket, count] of this.#fineCounts.entries()) {
      below += count
      if (below * 2 >= this.#count) return bucket * FINE_BUCKET_MS
    }
    for (const [bucket, count] of this.#coarseCounts.entries()) {
      below += count
      if (below * 2 >= this.#count) return bucket * COARSE_BUCKET_MS
    }
    return 0
  }
}
