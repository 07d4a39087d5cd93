import type { Clock } from '../../clock.js'

/** The pause that this process sets for all, and whether the store has to hear about it. */
export class SharedPause {
  readonly #clock: Clock
  /** By `Clock.now()`; 0 without a pause. */
  #untilMs = 0
  #isNew = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the store does not know yet that nobody may call the network. */
  get isUrgent(): boolean {
    return this.#isNew && this.#untilMs > 0
  }

  /** @param pauseMs 0 ends the pause */
  set(pauseMs: number): void {
    this.#untilMs = pauseMs > 0 ? this.#clock.now() + pauseMs : 0
    this.#isNew = true
  }

  /** The next step tells the store again. */
  repeat(): void {
    this.#isNew = true
  }

  /** The `pauseMs` of the next step. A pause that is over by then changes nothing. */
  take(): number | undefined {
    if (!this.#isNew) return undefined
    this.#isNew = false
    if (this.#untilMs === 0) return 0
    const leftMs = this.#untilMs - this.#clock.now()
    return leftMs > 0 ? leftMs : undefined
  }
}
