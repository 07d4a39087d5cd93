/** The value in the middle: half of the others are smaller. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which a share of the others lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** One figure of several rounds. */
export interface Measured {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function measured(rounds: readonly number[]): Measured {
  return { median: median(rounds), low: Math.min(...rounds), high: Math.max(...rounds) }
}

/** One figure of each round over another of the same round: what slows a round slows both. */
export function ratios(rounds: readonly number[], base: readonly number[]): number[] {
  return rounds.map((value, round) => value / (base[round] ?? Number.NaN))
}

export function differences(rounds: readonly number[], base: readonly number[]): number[] {
  return rounds.map((value, round) => value - (base[round] ?? Number.NaN))
}
