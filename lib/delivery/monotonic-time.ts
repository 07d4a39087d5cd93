/**
 * The time, going on where it was last asked for when the system's clock is set back: what passed
 * between is not known, and is waited for once more.
 */
export class SteadyTime {
  #latestMs = Number.NEGATIVE_INFINITY
  #setBackMs = 0

  /** @param nowMs what the system's clock says, in milliseconds since the Unix epoch */
  at(nowMs: number): number {
    this.#setBackMs = Math.max(this.#setBackMs, this.#latestMs - nowMs)
    this.#latestMs = nowMs + this.#setBackMs
    return this.#latestMs
  }
}
