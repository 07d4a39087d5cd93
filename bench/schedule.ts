/** How long the bench takes, and what it says meanwhile. */
export interface Schedule {
  /**
   * Numbers of the rounds, from 1; those before it warm up. A machine too slow or too busy to make
   * all of them within the limit makes fewer, and that is noted.
   */
  rounds(usual: number, limitS: number, warmUps?: number): Iterable<number>
  /** How many of something a round has. */
  amount(usual: number): number
  seconds(usual: number): number
  progress(what: string): void
  readonly notes: readonly string[]
}

/** @param isQuick a trial of the bench itself, whose figures mean nothing */
export function scheduleOf(isQuick: boolean): Schedule {
  const share = isQuick ? 0.2 : 1
  const notes: string[] = []
  let last = ''
  return {
    *rounds(usual, limitS, warmUps = 0) {
      const rounds = isQuick ? 2 : usual
      const first = 1 - (isQuick ? Math.min(warmUps, 1) : warmUps)
      const endMs = performance.now() + limitS * 1_000
      for (let round = first; round <= rounds; round += 1) {
        if (performance.now() > endMs) {
          const made = Math.max(0, round - 1)
          notes.push(`${made} rounds instead of ${rounds}, within ${limitS} s, up to: ${last}`)
          return
        }
        yield round
      }
    },
    amount: (usual) => Math.round(usual * share),
    seconds: (usual) => usual * share,
    progress(what) {
      if (what !== '') last = what
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`)
    },
    notes,
  }
}
