import { OUTCOMES, type Outcome } from '../../impression.js'

const BUCKET_MS = 10_000
/** 15 minutes. */
const BUCKETS = 90

/** How many impressions had each outcome in the last minutes, in memory that never grows. */
export class OutcomeCounts {
  readonly #now: () => number
  /** A ring for each outcome. */
  readonly #rings: ReadonlyMap<Outcome, number[]>
  /** The time of the newest bucket, in buckets since the epoch of the clock. */
  #newest: number

  /** @param now a monotonic clock */
  constructor(now: () => number) {
    this.#now = now
    this.#newest = this.#currentBucket()
    this.#rings = new Map(OUTCOMES.map((outcome) => [outcome, new Array(BUCKETS).fill(0)]))
  }

  add(outcome: Outcome): void {
    this.#advance()
    const ring = this.#rings.get(outcome)
    const at = this.#newest % BUCKETS
    if (ring) ring[at] = (ring[at] ?? 0) + 1
  }

  /** The oldest bucket first. The newest is not over yet. */
  read() {
    this.#advance()
    const first = (this.#newest % BUCKETS) + 1
    const outcomes = [...this.#rings].map(([outcome, ring]) => {
      return { outcome, counts: [...ring.slice(first), ...ring.slice(0, first)] }
    })
    return { bucketMs: BUCKET_MS, outcomes }
  }

  /** Clears the buckets for which time has passed since the last call. */
  #advance(): void {
    const current = this.#currentBucket()
    const passed = Math.min(current - this.#newest, BUCKETS)
    for (let ahead = 1; ahead <= passed; ahead += 1) {
      for (const ring of this.#rings.values()) ring[(this.#newest + ahead) % BUCKETS] = 0
    }
    this.#newest = Math.max(current, this.#newest)
  }

  #currentBucket(): number {
    return Math.floor(this.#now() / BUCKET_MS)
  }
}
