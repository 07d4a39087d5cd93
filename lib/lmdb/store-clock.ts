import type { State } from './state.js'

/** Clocks that all processes of a machine share. */
export interface MachineClock {
  /** Milliseconds since some time before the machine started. Nobody can set it. */
  monotonicNow(): number
  /** As `Date.now()`. */
  wallNow(): number
}

export const machineClock: MachineClock = {
  monotonicNow: () => Number(process.hrtime.bigint()) / 1e6,
  wallNow: Date.now,
}

/**
 * Advances the store's clock, which ends leases, dedupe keys, calls and pauses. It runs with the
 * machine's monotonic clock, so that setting the system's clock changes nothing. Only over a
 * restart of the machine, wall time says how long it was off. If that is not known (the system's
 * clock was set back, or the restart goes unnoticed because the machine has been up for longer
 * than before), the store's clock is late: keys and calls are remembered for longer.
 */
export function advanceStoreClock(state: State, clock: MachineClock): void {
  const monotonicMs = clock.monotonicNow()
  const wallMs = clock.wallNow()
  const hasRestarted = monotonicMs < state.monotonicMs
  state.timeMs += hasRestarted
    ? Math.max(monotonicMs, wallMs - state.wallMs)
    : monotonicMs - state.monotonicMs
  state.monotonicMs = monotonicMs
  state.wallMs = wallMs
}
