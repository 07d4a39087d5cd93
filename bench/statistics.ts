export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** @param share from 0 to 1: 0.99 gives the 99th percentile */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** One figure, measured in several rounds. */
export interface RoundsSummary {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export function summarizeRounds(rounds: readonly number[]): RoundsSummary {
  return { median: median(rounds), lowest: Math.min(...rounds), highest: Math.max(...rounds) }
}

/** The ratio within each round: whatever slows the machine in a round affects both figures. */
export function divideByRound(rounds: readonly number[], base: readonly number[]): number[] {
  return rounds.map((value, round) => value / (base[round] ?? Number.NaN))
}

/** The difference within each round. */
export function subtractByRound(rounds: readonly number[], base: readonly number[]): number[] {
  return rounds.map((value, round) => value - (base[round] ?? Number.NaN))
}
