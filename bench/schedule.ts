/** How much the benchmark does, and how it shows its progress. */
export interface Schedule {
  /**
   * Yields the numbers of the rounds, from 1; warm-up rounds have lower numbers. When `limitS`
   * seconds are over, the remaining rounds are skipped and a note says so.
   */
  rounds(fullCount: number, limitS: number, warmUps?: number): Iterable<number>
  /** Scales how many of something a round has. */
  scaleCount(fullCount: number): number
  scaleSeconds(fullSeconds: number): number
  showProgress(text: string): void
  /** Remarks about this run, to be printed with its results. */
  readonly notes: readonly string[]
}

/** @param isQuick a trial of the benchmark itself; its figures mean nothing */
export function createSchedule(isQuick: boolean): Schedule {
  const share = isQuick ? 0.2 : 1
  const notes: string[] = []
  let lastProgress = ''
  return {
    *rounds(fullCount, limitS, warmUps = 0) {
      const rounds = isQuick ? 2 : fullCount
      const firstRound = 1 - (isQuick ? Math.min(warmUps, 1) : warmUps)
      const endMs = performance.now() + limitS * 1_000
      for (let round = firstRound; round <= rounds; round += 1) {
        if (performance.now() > endMs) {
          const completed = Math.max(0, round - 1)
          notes.push(
            `${completed} rounds instead of ${rounds} within ${limitS} s, up to: ${lastProgress}`,
          )
          return
        }
        yield round
      }
    },
    scaleCount: (fullCount) => Math.round(fullCount * share),
    scaleSeconds: (fullSeconds) => fullSeconds * share,
    showProgress(text) {
      if (text !== '') lastProgress = text
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
    },
    notes,
  }
}
