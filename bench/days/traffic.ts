import type { Clock } from '../../lib/clock.js'

export interface TrafficOptions {
  /** On average. */
  readonly viewsPerSecond: number
  /** Whether the rate rises from zero to its peak and falls back to zero, once a day. */
  readonly hasPeak: boolean
  readonly durationMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly onPageView: () => void
}

const DAY_MS = 86_400_000
/** The peak rate, relative to the average. */
const PEAK_FACTOR = 2.7
/** At high rates, page views arrive in groups. This saves timers and changes no result. */
const MAX_ARRIVALS_PER_SECOND = 20

/** Schedules page views at random times from now on (a Poisson process). */
export function scheduleTraffic(options: TrafficOptions): void {
  const { viewsPerSecond, hasPeak, durationMs, clock, random, onPageView } = options
  const maxPerSecond = viewsPerSecond * (hasPeak ? PEAK_FACTOR : 1)
  const groupSize = Math.ceil(maxPerSecond / MAX_ARRIVALS_PER_SECOND)
  const startMs = clock.now()
  const endMs = startMs + durationMs

  function scheduleNext(): void {
    const gapMs = (-Math.log(1 - random()) * 1_000 * groupSize) / maxPerSecond
    if (clock.now() + gapMs < endMs) clock.after(gapMs, arrive)
  }

  // Dropping page views at random turns the steady rate into one that varies.
  function arrive(): void {
    const share = hasPeak ? computeRelativeRate(clock.now() - startMs) / PEAK_FACTOR : 1
    for (let view = 0; view < groupSize; view += 1) {
      if (share === 1 || random() < share) onPageView()
    }
    scheduleNext()
  }

  scheduleNext()
}

/** The rate at a time of the day, relative to the day's average. */
function computeRelativeRate(msOfDay: number): number {
  return ((1 - Math.cos((2 * Math.PI * msOfDay) / DAY_MS)) / 2) ** 2 / 0.375
}
