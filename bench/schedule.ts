/** How long the bench takes, and what it says meanwhile. */
export interface Schedule {
  /** Numbers of the rounds, from 1. */
  readonly rounds: readonly number[]
  /** How many of something a round has. */
  amount(usual: number): number
  seconds(usual: number): number
  progress(what: string): void
}

const ROUNDS = 5

/** @param isQuick a trial of the bench itself, whose figures mean nothing */
export function scheduleOf(isQuick: boolean): Schedule {
  const share = isQuick ? 0.2 : 1
  const rounds = Array.from({ length: isQuick ? 2 : ROUNDS }, (_, index) => index + 1)
  return {
    rounds,
    amount: (usual) => Math.round(usual * share),
    seconds: (usual) => usual * share,
    progress(what) {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`)
    },
  }
}
