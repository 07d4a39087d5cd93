import type { Clock } from '../../lib/clock.js'

interface Timer {
  readonly dueMs: number
  /** Of timers due at the same time the one that was set first runs first. */
  readonly order: number
  /** `undefined` once it was cancelled. */
  task: (() => void) | undefined
  readonly keepsAlive: boolean
}

/** What a Node timer holds; like the system's clock, this one rings then if asked for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A clock that stands still until it is told to advance, so that days pass in no time. */
export class VirtualClock implements Clock {
  #nowMs: number
  /** How far the system's clock was set ahead. */
  #wallAheadMs = 0
  #soon: (() => void)[] = []
  /** A binary heap: the timer that is due next comes first. */
  #timers: Timer[] = []
  #cancelled = 0
  #order = 0

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  /** May be handed on by itself, as `Date.now` may. */
  readonly now = (): number => this.#nowMs

  readonly wallNow = (): number => this.#nowMs + this.#wallAheadMs

  /** Sets the system's clock ahead, or back if negative. No time passes by that. */
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
    this.#soon.push(task)
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length - this.#cancelled
  }

  /** Whether a timer that was asked to keeps the process alive. */
  get isKeptAlive(): boolean {
    return this.#timers.some(({ task, keepsAlive }) => keepsAlive && task !== undefined)
  }

  /** Lets `ms` milliseconds pass: all that becomes due runs, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    while (this.#step(untilMs));
    this.#nowMs = untilMs
  }

  /** As `advance`, and lets promises settle after each task: for what is asynchronous as well. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#step(untilMs))
    this.#nowMs = untilMs
  }

  /** Runs the next task that is due by then, or all that is to run soon. */
  #step(untilMs: number): boolean {
    if (this.#soon.length > 0) {
      const tasks = this.#soon
      this.#soon = []
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
    let place = timers.length
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = timers[parentPlace]
      if (parent === undefined || !isBefore(timer, parent)) break
      timers[place] = parent
      place = parentPlace
    }
    timers[place] = timer
  }

  #pop(): void {
    const timers = this.#timers
    const last = timers.pop()
    if (last === undefined || timers.length === 0) return
    let place = 0
    while (true) {
      const left = timers[2 * place + 1]
      const right = timers[2 * place + 2]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, last)) break
      timers[place] = child
      place = 2 * place + (isRight ? 2 : 1)
    }
    timers[place] = last
  }

  #compact(): void {
    const kept = this.#timers.filter(({ task }) => task !== undefined)
    this.#timers = []
    this.#cancelled = 0
    for (const timer of kept) this.#push(timer)
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}
