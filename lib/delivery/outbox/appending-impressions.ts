import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.js'
import type { Impression } from '../../impression.js'
import type { ExchangeQueue } from './exchange-queue.js'
import type { Operation } from './operation-queue.js'
import type { Receipt } from './outbox.js'
import type { ExchangeResponse } from './store.js'
import { serializeImpression } from './stored-impression.js'

interface Appending {
  readonly impression: Impression
  readonly resolve: (receipt: Receipt) => void
}

export interface AppendingDependencies {
  readonly queue: ExchangeQueue
  readonly clock: Clock
  /** Called when the store has accepted an impression. Returns the receipt for delivery. */
  readonly onAccepted: (id: string, impression: Impression, response: ExchangeResponse) => Receipt
}

/** The impressions that the store has not accepted yet, by the ids of their records. */
export class AppendingImpressions {
  readonly #dependencies: AppendingDependencies
  readonly #byId = new Map<string, Appending>()
  readonly #idPrefix = `${randomBytes(9).toString('base64url')}:`
  #lastId = 0

  constructor(dependencies: AppendingDependencies) {
    this.#dependencies = dependencies
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Those that the store may have, and has not answered for. */
  get inDoubt(): Impression[] {
    const records = this.#dependencies.queue.appendsInDoubt
    return records.flatMap(({ id }) => this.#byId.get(id)?.impression ?? [])
  }

  append(impression: Impression): Receipt | Promise<Receipt> {
    this.#lastId += 1
    return this.appendAs(`${this.#idPrefix}${this.#lastId.toString(36)}`, impression)
  }

  /** As `append`, for a record that has an id already. */
  appendAs(id: string, impression: Impression): Receipt | Promise<Receipt> {
    const { queue, clock } = this.#dependencies
    const payload = serializeImpression(impression, clock)
    if (payload === undefined) return 'unstorable'
    const { dedupeKey } = impression
    return new Promise((resolve) => {
      this.#byId.set(id, { impression, resolve })
      queue.add({
        append: dedupeKey === undefined ? { id, payload } : { id, payload, dedupeKey },
        onDone: (response, receipt) => this.#onAppended(id, response, receipt ?? 'uncertain'),
      })
    })
  }

  /**
   * Removes and returns those that were tracked before `beforeMs`. What the store may have accepted
   * is no longer in this process's hands.
   */
  expire(beforeMs: number): Impression[] {
    const find = ({ append }: Operation) => append && this.#byId.get(append.id)
    const isOld = (operation: Operation) => {
      const appending = find(operation)
      return appending !== undefined && appending.impression.trackedAtMs < beforeMs
    }
    return this.#dependencies.queue.remove(isOld).flatMap((operation) => {
      const appending = find(operation)
      if (operation.append) this.#byId.delete(operation.append.id)
      // It has its outcome before this takes effect.
      appending?.resolve('accepted')
      return appending?.impression ?? []
    })
  }

  #onAppended(id: string, response: ExchangeResponse, receipt: Receipt): void {
    const appending = this.#byId.get(id)
    if (!appending) return
    const { impression, resolve } = appending
    this.#byId.delete(id)
    const { onAccepted } = this.#dependencies
    resolve(receipt === 'accepted' ? onAccepted(id, impression, response) : receipt)
  }
}
