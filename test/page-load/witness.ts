import type { OutcomeEvent } from '../../lib/impression.js'
import type { Logger } from '../../lib/logger.js'
import type { TrackerMethods } from '../../lib/tracker.js'
import { assertBalanced, inShort } from './books.js'

/** Hears every outcome of a tracker, and looks at its books each time. */
export class Witness {
  readonly outcomes: OutcomeEvent[] = []
  readonly #tracker: TrackerMethods
  #imbalance: unknown
  #waiters: { readonly count: number; readonly resolve: () => void }[] = []

  constructor(tracker: TrackerMethods) {
    this.#tracker = tracker
    tracker.on('outcome', (outcome) => this.#hear(outcome))
  }

  /** The outcomes in short, sorted: networks answer in any order. */
  get told(): string[] {
    return this.outcomes.map(inShort).sort()
  }

  /** Resolves once there were `count` outcomes. */
  async whenTold(count: number): Promise<void> {
    if (this.outcomes.length >= count) return
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }))
  }

  /** Closes the tracker: whatever is held or pending comes to its end. Returns what was told. */
  async settled(): Promise<string[]> {
    await this.#tracker.close()
    this.assertBooksBalanced()
    return this.told
  }

  /** @throws if the books failed to balance at any outcome, or do now */
  assertBooksBalanced(): void {
    if (this.#imbalance) throw this.#imbalance
    assertBalanced(this.#tracker.stats())
  }

  #hear(outcome: OutcomeEvent): void {
    this.outcomes.push(outcome)
    try {
      assertBalanced(this.#tracker.stats())
    } catch (error) {
      this.#imbalance ??= error
    }
    for (const { count, resolve } of this.#waiters) if (this.outcomes.length >= count) resolve()
  }
}

/** A logger that keeps its lines. */
export function loggerInto(lines: string[]): Logger {
  const keep = (_fields: Record<string, unknown>, message: string) => void lines.push(message)
  return { debug: keep, warn: keep, error: keep }
}
