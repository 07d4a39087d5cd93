import { type Clock, systemClock } from '../../lib/clock.js'

interface Timer {
  readonly dueMs: number
  /** Starts the system's timer again, for the time that is left. */
  restart(): void
}

/** The system's clock at `speed` times its pace: for tests with real sockets and long waits. */
export class FastClock implements Clock {
  readonly #speed: number
  readonly #startMs = systemClock.now()
  readonly #timers = new Set<Timer>()
  #skippedMs = 0
  #wallAheadMs = 0

  constructor(speed: number) {
    this.#speed = speed
  }

  /** A field, so that it can be passed as a function. */
  readonly now = (): number =>
    this.#startMs + this.#skippedMs + (systemClock.now() - this.#startMs) * this.#speed

  readonly wallNow = (): number => this.now() + this.#wallAheadMs

  readonly defer = systemClock.defer

  after(delayMs: number, task: () => void, keepsAlive?: 'keeps-alive'): () => void {
    const dueMs = this.now() + delayMs
    const start = () =>
      systemClock.after(
        (dueMs - this.now()) / this.#speed,
        () => {
          this.#timers.delete(timer)
          task()
        },
        keepsAlive,
      )
    let cancel = start()
    const timer: Timer = {
      dueMs,
      restart() {
        cancel()
        cancel = start()
      },
    }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
      cancel()
    }
  }

  /** Sets the system's clock ahead, or back if negative. `now()` does not change. */
  setWallClock(byMs: number): void {
    this.#wallAheadMs += byMs
  }

  /**
   * As if the process had stood still for so long: the timers that are due by now run before any
   * socket is read.
   */
  standStill(forMs: number): void {
    this.#skippedMs += forMs
    // In the order in which they are due, as Node runs them.
    for (const timer of [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)) timer.restart()
    // Node's shortest timer takes a millisecond.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
  }
}
