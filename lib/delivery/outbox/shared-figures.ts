/** Counts by name. */
export type Figures = Readonly<Record<string, number>>

export function addFigures(sums: Record<string, number>, figures: Figures): void {
  for (const [name, count] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + count
}

/** The figures of what has no outcome yet. All others only grow. */
export const CURRENT_FIGURES: readonly string[] = ['held', 'unstored']

/**
 * The figures of one process in a store that sums up those of all, also of past owners. A process
 * that goes on under a new name leaves its figures behind, so the new name counts from there.
 */
export class SharedFigures {
  /** What the process has left behind under earlier names. */
  #left: Figures = {}
  /** What the store has under the current name. */
  #stored: Figures = {}

  /** What the store is to have under the current name. */
  toShare(figures: Figures): Figures {
    const toShare: Record<string, number> = {}
    for (const [name, count] of Object.entries(figures)) {
      toShare[name] = CURRENT_FIGURES.includes(name) ? count : count - (this.#left[name] ?? 0)
    }
    return toShare
  }

  onStored(figures: Figures): void {
    this.#stored = figures
  }

  startAgain(): void {
    const left: Record<string, number> = { ...this.#left }
    for (const [name, count] of Object.entries(this.#stored)) {
      if (!CURRENT_FIGURES.includes(name)) left[name] = (left[name] ?? 0) + count
    }
    this.#left = left
    this.#stored = {}
  }
}
