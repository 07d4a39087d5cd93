import type { Clock } from '../../dist/clock.js'

/** A clock that advances in steps, so that a virtual hour takes seconds. */
export class SteppedClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1)
  readonly #timers = new Set<{ readonly dueMs: number; readonly task: () => void }>()

  readonly now = (): number => this.#nowMs
  readonly wallNow = this.now

  after(delayMs: number, task: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, task }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  defer(task: () => void): void {
    setImmediate(task)
  }

  /** Advances the time and runs the timers that have become due. */
  step(byMs: number): void {
    this.#nowMs += byMs
    for (const timer of [...this.#timers]) {
      if (timer.dueMs > this.#nowMs || !this.#timers.delete(timer)) continue
      timer.task()
    }
  }
}
