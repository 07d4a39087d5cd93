import { type Clock, systemClock } from '../../lib/clock.js'

/** The system's clock at `speed` times its pace: for tests with real sockets and long waits. */
export function createFastClock(speed: number): Clock {
  const startMs = systemClock.now()
  const now = () => startMs + (systemClock.now() - startMs) * speed
  return {
    now,
    wallNow: now,
    after: (delayMs, task, keepsAlive) => systemClock.after(delayMs / speed, task, keepsAlive),
    defer: systemClock.defer,
  }
}
