import type { Clock } from '../../lib/clock.js'

interface Timer {
  readonly dueMs: number
  /** Timers that are due at the same time run in the order in which they were set. */
  readonly order: number
  /** `undefined` after it has run or was cancelled. */
  task: (() => void) | undefined
  readonly keepsAlive: boolean
}

/** The longest delay of a Node timer. As in `systemClock`, a longer one ends then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A clock that moves only when a test advances it, so that days pass in no time. */
export class VirtualClock implements Clock {
  #nowMs: number
  /** How far the system's clock was set ahead. */
  #wallAheadMs = 0
  #deferredTasks: (() => void)[] = []
  /** A binary heap: the timer that is due next comes first. */
  #timers: Timer[] = []
  #cancelled = 0
  #order = 0

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  /** A field, so that it can be passed as a function. */
  readonly now = (): number => this.#nowMs

  readonly wallNow = (): number => this.#nowMs + this.#wallAheadMs

  /** Sets the system's clock ahead, or back if negative. `now()` does not change. */
  setWallClock(byMs: number): void {
    this.#wallAheadMs += byMs
  }

  after(delayMs: number, task: () => void, keepsAlive?: 'keeps-alive'): () => void {
    const dueMs = this.#nowMs + Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS)
    this.#order += 1
    const timer: Timer = { dueMs, order: this.#order, task, keepsAlive: keepsAlive !== undefined }
    this.#push(timer)
    return () => {
      if (timer.task === undefined) return
      timer.task = undefined
      this.#cancelled += 1
      if (this.#cancelled > 1_000 && this.#cancelled * 2 > this.#timers.length) this.#compact()
    }
  }

  defer(task: () => void): void {
    this.#deferredTasks.push(task)
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length - this.#cancelled
  }

  /** Whether a timer with `keeps-alive` is pending. */
  get isKeptAlive(): boolean {
    return this.#timers.some(({ task, keepsAlive }) => keepsAlive && task !== undefined)
  }

  /** Lets `ms` milliseconds pass. Every task that becomes due runs, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    while (this.#step(untilMs));
    this.#nowMs = untilMs
  }

  /** As `advance`, and lets promises settle after each task. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#step(untilMs))
    this.#nowMs = untilMs
  }

  /** Runs all deferred tasks, or the next timer that is due by then. */
  #step(untilMs: number): boolean {
    if (this.#deferredTasks.length > 0) {
      const tasks = this.#deferredTasks
      this.#deferredTasks = []
      for (const task of tasks) task()
      return true
    }
    const timer = this.#timers[0]
    if (timer === undefined || timer.dueMs > untilMs) return false
    this.#pop()
    const { task } = timer
    if (task === undefined) {
      this.#cancelled -= 1
      return true
    }
    timer.task = undefined
    this.#nowMs = timer.dueMs
    task()
    return true
  }

  #push(timer: Timer): void {
    const timers = this.#timers
    let index = timers.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = timers[parentIndex]
      if (parent === undefined || !isBefore(timer, parent)) break
      timers[index] = parent
      index = parentIndex
    }
    timers[index] = timer
  }

  #pop(): void {
    const timers = this.#timers
    const last = timers.pop()
    if (last === undefined || timers.length === 0) return
    let index = 0
    while (true) {
      const left = timers[2 * index + 1]
      const right = timers[2 * index + 2]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, last)) break
      timers[index] = child
      index = 2 * index + (isRight ? 2 : 1)
    }
    timers[index] = last
  }

  #compact(): void {
    const pending = this.#timers.filter(({ task }) => task !== undefined)
    this.#timers = []
    this.#cancelled = 0
    for (const timer of pending) this.#push(timer)
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}
