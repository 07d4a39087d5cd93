/** Runs tasks a fixed time after they were added: by a millisecond's tick, and so on average exact. */
export class DelayLine {
  readonly #delayMs: number
  #waiting: { readonly dueMs: number; readonly task: () => void }[] = []
  #ticker: NodeJS.Timeout | undefined

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  add(task: () => void): void {
    if (this.#delayMs === 0) {
      task()
      return
    }
    this.#waiting.push({ dueMs: performance.now() + this.#delayMs, task })
    this.#ticker ??= setInterval(() => this.#tick(), 1)
  }

  #tick(): void {
    const dueMs = performance.now() + 0.5
    const firstLater = this.#waiting.findIndex((entry) => entry.dueMs > dueMs)
    const due = this.#waiting.splice(0, firstLater < 0 ? this.#waiting.length : firstLater)
    for (const { task } of due) task()
    if (this.#waiting.length > 0) return
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}
