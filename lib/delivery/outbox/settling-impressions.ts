import type { Impression } from '../../impression.js'
import { isCountedHere } from './claimable-impressions.js'
import type { ExchangeQueue } from './exchange-queue.js'
import { SettledIds } from './settled-ids.js'
import type { Figures } from './shared-figures.js'
import type { ExchangeResponse } from './store.js'

export interface SettlingDependencies {
  readonly queue: ExchangeQueue
  /** Whether others have taken over what a step was to settle. */
  readonly isTakenOver: (response: ExchangeResponse) => boolean
  readonly onHandedOver: (impressions: readonly Impression[]) => void
}

/** The impressions that have their outcome, and that the store still has, by the ids of their records. */
export class SettlingImpressions {
  readonly #dependencies: SettlingDependencies
  readonly #byId = new Map<string, Impression>()
  readonly #settled = new SettledIds()
  #pendingHere = 0

  constructor(dependencies: SettlingDependencies) {
    this.#dependencies = dependencies
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Whether this process has settled the record not long ago. */
  hasSettled(id: string): boolean {
    return this.#settled.has(id)
  }

  /** How many of them `stats()` still counts as pending in this process. */
  get pendingHere(): number {
    return this.#pendingHere
  }

  toArray(): Impression[] {
    return [...this.#byId.values()]
  }

  /** Resolves to what has its outcome now: nothing if others have taken over. */
  settle(
    ids: readonly string[],
    impressions: readonly Impression[],
    outcomes: Figures,
  ): Promise<readonly Impression[]> {
    const { queue, isTakenOver, onHandedOver } = this.#dependencies
    const here = impressions.filter(isCountedHere).length
    this.#pendingHere += here
    for (const [index, id] of ids.entries()) {
      const impression = impressions[index]
      if (impression) this.#byId.set(id, impression)
    }
    return new Promise((resolve) => {
      queue.add({
        settle: ids,
        outcomes,
        onDone: (response) => {
          this.#pendingHere -= here
          for (const id of ids) this.#byId.delete(id)
          const isLost = isTakenOver(response)
          if (isLost) onHandedOver(impressions)
          else for (const id of ids) this.#settled.add(id)
          resolve(isLost ? [] : impressions)
        },
      })
    })
  }
}
