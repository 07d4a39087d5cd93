import { type Clock, systemClock } from '../../lib/clock.js'

/** The system's clock, but so many times as fast: for real sockets and long waits. */
export function fastClock(speed: number): Clock {
  const startMs = systemClock.now()
  const now = () => startMs + (systemClock.now() - startMs) * speed
  return {
    now,
    wallNow: now,
    after: (delayMs, task, keepsAlive) => systemClock.after(delayMs / speed, task, keepsAlive),
    defer: systemClock.defer,
  }
}
