/** How many events there were in each of the last seconds. */
export class EventRate {
  readonly #buckets: number[]
  readonly #nowMs: () => number
  #second: number

  /** `nowMs` is real time: the chart moves on even if a test stops the sandbox's clock. */
  constructor(seconds: number, nowMs: () => number = () => performance.now()) {
    this.#buckets = new Array(seconds).fill(0)
    this.#nowMs = nowMs
    this.#second = this.#currentSecond()
  }

  add(): void {
    this.#advance()
    const index = this.#second % this.#buckets.length
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
  }

  /** Oldest first. The last one is the current second, which is not over yet. */
  listPerSecond(): number[] {
    this.#advance()
    const next = (this.#second + 1) % this.#buckets.length
    return [...this.#buckets.slice(next), ...this.#buckets.slice(0, next)]
  }

  clear(): void {
    this.#buckets.fill(0)
  }

  #advance(): void {
    const current = this.#currentSecond()
    const passed = Math.min(current - this.#second, this.#buckets.length)
    for (let step = 1; step <= passed; step += 1) {
      this.#buckets[(current - passed + step) % this.#buckets.length] = 0
    }
    this.#second = current
  }

  #currentSecond(): number {
    return Math.floor(this.#nowMs() / 1000)
  }
}
