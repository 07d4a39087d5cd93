const SLOT_MS = 3_600_000
const SLOTS = 24

/** A rate is not taken from a shorter span: a single page would look like many per second. */
const SHORTEST_SPAN_MS = 1_000

/** How fast impressions are sent: the mean of about the last hour or of the last day, if higher. */
export class SendingRate {
  /** Oldest first. */
  readonly #slots: { readonly startMs: number; impressions: number }[] = []

  add(impressions: number, nowMs: number): void {
    const last = this.#slots.at(-1)
    if (last && nowMs - last.startMs < SLOT_MS) {
      last.impressions += impressions
      return
    }
    this.#slots.push({ startMs: nowMs, impressions })
    if (this.#slots.length > SLOTS) this.#slots.shift()
  }

  /** Impressions per millisecond. */
  perMs(nowMs: number): number {
    return Math.max(this.#meanPerMs(2, nowMs), this.#meanPerMs(SLOTS, nowMs))
  }

  #meanPerMs(slots: number, nowMs: number): number {
    let impressions = 0
    let spanMs = SHORTEST_SPAN_MS
    for (const slot of this.#slots.slice(-slots)) {
      impressions += slot.impressions
      spanMs = Math.max(spanMs, nowMs - slot.startMs)
    }
    return impressions / spanMs
  }
}
