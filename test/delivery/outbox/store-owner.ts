import type {
  ExchangeRequest,
  ExchangeResponse,
  NewRecord,
  Store,
} from '../../../lib/delivery/outbox/store.js'

/** An empty store that several owners open, each as if it were a process of its own. */
export interface StoreSetup {
  open(): Store
  /** Lets time pass for the store. */
  advance(ms: number): void | Promise<void>
}

export const LEASE_MS = 10_000

type Changes = Omit<Partial<ExchangeRequest>, 'append'> & {
  /** As a new append, with the next number. */
  readonly append?: readonly NewRecord[] | ExchangeRequest['append']
}

/** What a process sends to a store. */
export class StoreOwner {
  readonly name: string
  readonly store: Store
  readonly #box: 'fleet' | 'own'
  #isNew = true
  #steps = 0
  #appends = 0
  #seenUpTo = 0

  constructor(store: Store, name: string, box: 'fleet' | 'own' = 'own') {
    this.store = store
    this.name = name
    this.#box = box
  }

  get seenUpTo(): number {
    return this.#seenUpTo
  }

  async exchange(changes: Changes = {}): Promise<ExchangeResponse> {
    const response = await this.store.exchange(this.request(changes))
    this.#isNew = false
    this.#seenUpTo = response.seenUpTo
    return response
  }

  /** As `exchange`, but the response is lost. */
  async exchangeInVain(changes: Changes = {}): Promise<void> {
    await this.store.exchange(this.request(changes))
  }

  request({ append, ...changes }: Changes = {}): ExchangeRequest {
    if (!changes.isResync || this.#steps === 0) this.#steps += 1
    return {
      owner: this.name,
      step: this.#steps,
      isNew: this.#isNew,
      leaseMs: LEASE_MS,
      box: this.#box,
      isResync: false,
      outageMs: 0,
      seenUpTo: this.#seenUpTo,
      settle: [],
      release: [],
      claim: [],
      append: this.#numbered(append),
      maxPending: 10_000,
      dedupeTtlMs: 60_000,
      calls: 0,
      callsTtlMs: 0,
      pauseMs: undefined,
      probeMs: 5_000,
      figures: {},
      isLeaving: false,
      ...changes,
    }
  }

  #numbered(append: Changes['append']): ExchangeRequest['append'] {
    if (append === undefined || 'number' in append) return append
    this.#appends += 1
    return { number: this.#appends, records: append }
  }
}

/** Records with these ids. */
export function records(...ids: string[]): NewRecord[] {
  return ids.map((id) => ({ id, payload: `payload of ${id}` }))
}

export function listIds(list: readonly { readonly id: string }[]): string[] {
  return list.map(({ id }) => id)
}
