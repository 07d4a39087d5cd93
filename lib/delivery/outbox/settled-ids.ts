/** More than are settled in the few seconds that a store may lose. */
const MAX_IDS = 10_000

/**
 * The ids of records that a process has settled last. A store that has lost its last moments, after
 * a crash or a failover, lists them again as if they waited.
 */
export class SettledIds {
  /** In the order in which they were added. */
  readonly #ids = new Set<string>()

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size <= MAX_IDS) return
    const [oldest = ''] = this.#ids
    this.#ids.delete(oldest)
  }
}
