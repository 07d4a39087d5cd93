import assert from 'node:assert/strict'
import type { NetworkStats, Stats } from '../../lib/counting/statistics.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'

/** The figures that are not zero. */
export function nonZero(figures: NetworkStats | undefined): Partial<Record<string, number>> {
  return Object.fromEntries(Object.entries(figures ?? {}).filter(([, count]) => count !== 0))
}

/** Whether each network's books balance: tracked = held + pending + the sum of the outcomes. */
export function assertBalanced(stats: Stats): void {
  for (const [network, figures] of Object.entries(stats)) {
    const ended = OUTCOMES.reduce((sum, outcome) => sum + figures[outcome], 0)
    assert.equal(
      figures.tracked,
      figures.held + figures.pending + ended,
      `${network}'s books: ${JSON.stringify(figures)}`,
    )
  }
}

/** An outcome in short, such as `closient suppressed: aborted`. */
export function inShort({ network, outcome, reason }: OutcomeEvent): string {
  const isWord = outcome === 'suppressed' || outcome === 'dropped'
  return isWord ? `${network} ${outcome}: ${reason}` : `${network} ${outcome}`
}
