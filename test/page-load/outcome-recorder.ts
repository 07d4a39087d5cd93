import type { OutcomeEvent } from '../../lib/impression.js'
import { readReasonCode } from '../../lib/reason.js'
import type { TrackerMethods } from '../../lib/tracker.js'
import { assertBalanced } from './stats-assertions.js'

/** Records every outcome of a tracker, and checks at each one that its figures balance. */
export class OutcomeRecorder {
  readonly outcomes: OutcomeEvent[] = []
  readonly #tracker: TrackerMethods
  #firstImbalance: unknown
  #waiters: { readonly count: number; readonly resolve: () => void }[] = []

  constructor(tracker: TrackerMethods) {
    this.#tracker = tracker
    tracker.on('outcome', (event) => this.#record(event))
  }

  /** The outcomes, such as `closient suppressed: aborted`. Sorted: networks answer in any order. */
  get summaries(): string[] {
    return this.outcomes.map(summarizeOutcome).sort()
  }

  /** Resolves once `count` outcomes have occurred. */
  async waitForOutcomes(count: number): Promise<void> {
    if (this.outcomes.length >= count) return
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }))
  }

  /** Closes the tracker, so that everything held or pending ends. Returns the `summaries`. */
  async closeAndSummarize(): Promise<string[]> {
    await this.#tracker.close()
    this.assertStatsBalanced()
    return this.summaries
  }

  /** @throws if the figures did not balance at any outcome, or do not balance now */
  assertStatsBalanced(): void {
    if (this.#firstImbalance) throw this.#firstImbalance
    assertBalanced(this.#tracker.stats())
  }

  #record(event: OutcomeEvent): void {
    this.outcomes.push(event)
    try {
      assertBalanced(this.#tracker.stats())
    } catch (error) {
      this.#firstImbalance ??= error
    }
    for (const { count, resolve } of this.#waiters) if (this.outcomes.length >= count) resolve()
  }
}

function summarizeOutcome({ network, outcome, reason }: OutcomeEvent): string {
  const hasReasonCode = outcome === 'suppressed' || outcome === 'dropped'
  return hasReasonCode
    ? `${network} ${outcome}: ${readReasonCode(reason)}`
    : `${network} ${outcome}`
}
