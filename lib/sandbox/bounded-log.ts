/** How much a log keeps. */
export interface LogBounds<Entry> {
  readonly maxEntries: number
  /** The largest total of `weigh` over all entries. */
  readonly maxWeight: number
  weigh(entry: Entry): number
}

/** The latest entries, oldest first. Beyond its bounds, the oldest entries are dropped. */
export class BoundedLog<Entry> {
  readonly #bounds: LogBounds<Entry>
  #entries: Entry[] = []
  // Entries before this index are dropped. They are cut off in bulk, because `shift()` takes time
  // in proportion to the length of the array.
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

  /** A copy of the last `count` entries, oldest first. By default, of all entries. */
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
