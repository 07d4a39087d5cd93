/** How much a log keeps. */
export interface LogBounds<Entry> {
  readonly maxEntries: number
  readonly maxWeight: number
  weigh(entry: Entry): number
}

/** The latest entries, oldest first. What exceeds the bounds is forgotten, the oldest first. */
export class BoundedLog<Entry> {
  readonly #bounds: LogBounds<Entry>
  #entries: Entry[] = []
  // Entries before this one are forgotten; they are cut off in bulk, for `shift()` costs the
  // length of the array each time.
  #first = 0
  #weight = 0

  constructor(bounds: LogBounds<Entry>) {
    this.#bounds = bounds
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#weight += this.#bounds.weigh(entry)
    while (this.#length > this.#bounds.maxEntries || this.#weight > this.#bounds.maxWeight) {
      const oldest = this.#entries[this.#first]
      if (oldest === undefined) break
      this.#weight -= this.#bounds.weigh(oldest)
      this.#first += 1
    }
    if (this.#first > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
  }

  /** A copy of the last `count` entries, oldest first; of all, if not told. */
  latest(count = this.#length): Entry[] {
    return this.#entries.slice(Math.max(this.#first, this.#entries.length - count))
  }

  clear(): void {
    this.#entries = []
    this.#first = 0
    this.#weight = 0
  }

  get #length(): number {
    return this.#entries.length - this.#first
  }
}
