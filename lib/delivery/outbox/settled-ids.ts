/** More than a process settles in the few seconds that a store may lose. */
const MIN_IDS = 100_000

/**
 * The ids of records that a process has settled last, between `MIN_IDS` and twice as many. A store
 * that has lost its last moments, after a crash or a failover, lists them again as if they waited.
 */
export class SettledIds {
  #latest = new Set<string>()
  #earlier = new Set<string>()

  has(id: string): boolean {
    return this.#latest.has(id) || this.#earlier.has(id)
  }

  add(id: string): void {
    this.#latest.add(id)
    if (this.#latest.size < MIN_IDS) return
    // Not one by one: a set gets slow when its oldest elements are deleted.
    this.#earlier = this.#latest
    this.#latest = new Set()
  }
}
