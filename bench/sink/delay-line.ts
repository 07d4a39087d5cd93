/** Runs each task a fixed time after it was added, to within half a millisecond. */
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
    this.#ticker ??= setInterval(() => this.#runDueTasks(), 1)
  }

  #runDueTasks(): void {
    // Half a tick early on some, half a tick late on others: the average delay is exact.
    const dueMs = performance.now() + 0.5
    const firstLater = this.#waiting.findIndex((entry) => entry.dueMs > dueMs)
    const due = this.#waiting.splice(0, firstLater < 0 ? this.#waiting.length : firstLater)
    for (const { task } of due) task()
    if (this.#waiting.length > 0) return
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}
