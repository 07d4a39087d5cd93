const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 60_000

/** The exponential backoff after `failures` in a row: it doubles with each, up to a minute. */
export function backoffMs(failures: number): number {
  return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1))
}

/**
 * The same with full jitter, so that many processes and batches spread out.
 *
 * @param random returns a number from 0 up to 1, as `Math.random`
 */
export function jitteredBackoffMs(failures: number, random: () => number): number {
  return random() * backoffMs(failures)
}
