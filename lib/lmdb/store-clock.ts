import { readFileSync } from 'node:fs'
import type { State } from './state.js'

/** Clocks that all processes of a machine share. */
export interface MachineClock {
  /** Another one after each start of the machine; empty if it is not known. */
  readonly bootId: string
  /** Milliseconds since some time before the machine started. Nobody can set it. */
  monotonicNow(): number
  /** As `Date.now()`. */
  wallNow(): number
}

export const machineClock: MachineClock = {
  bootId: readBootId(),
  monotonicNow: () => Number(process.hrtime.bigint()) / 1e6,
  wallNow: Date.now,
}

/** Of Linux, where all containers of a machine have the same one. No other system has it in a file. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/**
 * Advances the store's clock, which ends leases, dedupe keys, calls and pauses. It runs with the
 * machine's monotonic clock, so that setting the system's clock changes nothing.
 */
export function advanceStoreClock(state: State, clock: MachineClock): void {
  const { bootId } = clock
  const monotonicMs = clock.monotonicNow()
  const wallMs = clock.wallNow()
  state.timeMs += elapsedSince(state, { bootId, monotonicMs, wallMs })
  Object.assign(state, { bootId, monotonicMs, wallMs })
}

/**
 * Only wall time says how long the machine was off, or when the directory was last in use on
 * another one. If it was set back, the store's clock is late: keys and calls are remembered for
 * longer.
 */
function elapsedSince(
  last: State,
  { bootId, monotonicMs, wallMs }: Pick<State, 'bootId' | 'monotonicMs' | 'wallMs'>,
): number {
  // Without a boot id, a restart goes unnoticed once the machine has been up for longer than before.
  const isSameBoot = bootId === last.bootId && monotonicMs >= last.monotonicMs
  return isSameBoot ? monotonicMs - last.monotonicMs : Math.max(0, wallMs - last.wallMs)
}
