import assert from 'node:assert/strict'
import type { NetworkStats, Stats } from '../../lib/counting/statistics.js'
import { OUTCOMES } from '../../lib/impression.js'

/** The figures that are not zero, without those of `viewability`. */
export function omitZeros(stats: NetworkStats | undefined): Partial<Record<string, number>> {
  const { viewability: _, ...figures } = stats ?? {}
  return Object.fromEntries(Object.entries(figures).filter(([, count]) => count !== 0))
}

/** Asserts for each network: tracked = held + pending + the sum of the outcomes. */
export function assertBalanced(stats: Stats): void {
  for (const [network, figures] of Object.entries(stats)) {
    const ended = OUTCOMES.reduce((sum, outcome) => sum + figures[outcome], 0)
    assert.equal(
      figures.tracked,
      figures.held + figures.pending + ended,
      `the figures of ${network} do not balance: ${JSON.stringify(figures)}`,
    )
  }
}
