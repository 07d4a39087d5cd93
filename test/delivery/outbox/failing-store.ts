import type {
  ExchangeRequest,
  ExchangeResponse,
  FleetFigures,
  Store,
} from '../../../lib/delivery/outbox/store.js'

/** How one process's way to a store fails. */
export class FailingStore implements Store {
  #store: Store
  /**
   * `before`: no step is done. `after`: steps are done, and their answers are lost. `hangs`: steps
   * are done, and `answer` gives their answers.
   */
  fails: 'never' | 'before' | 'after' | 'hangs' = 'never'
  /** Which steps fail. */
  isAffected = (_request: ExchangeRequest): boolean => true
  readonly #hanging: (() => void)[] = []
  /** Steps that were tried. */
  steps = 0
  /** Who has tried the last one. */
  lastOwner = ''

  constructor(store: Store) {
    this.#store = store
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    this.steps += 1
    this.lastOwner = request.owner
    if (!this.isAffected(request)) return await this.#store.exchange(request)
    if (this.fails === 'before') throw new Error('it is down')
    const response = await this.#store.exchange(request)
    if (this.fails === 'after') throw new Error('the answer was lost')
    if (this.fails === 'hangs') await new Promise<void>((resolve) => this.#hanging.push(resolve))
    return response
  }

  /** The store loses everything: what it has is what `store` has from now on. */
  loseData(store: Store): void {
    this.#store = store
  }

  /** Gives the answers of steps that hang. */
  answer(): void {
    for (const resolve of this.#hanging.splice(0)) resolve()
  }

  hasArrivals(seenUpTo: number): Promise<boolean> {
    return this.#store.hasArrivals(seenUpTo)
  }

  readFleet(): Promise<FleetFigures> {
    return this.#store.readFleet()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
