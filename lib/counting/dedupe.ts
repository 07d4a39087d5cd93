import { LRUCache } from 'lru-cache'

const NONE: readonly string[] = []
/** More campaigns than run at one time. */
const MAX_KNOWN_KEYS = 10_000
/** Past so many a set finds one faster than a look at each. */
const FEW = 8

/** An open response that holds impressions until it has finished. */
export interface ViewableListener {
  /** What it holds of this key has been seen, and so displayed: it leaves now. */
  onViewable(onceKey: string): void
}

/** What one page load has counted already: network, campaign and, where asked for, offer. */
export class CountedCampaigns {
  /** Three keys take 72 bytes so; a set takes 220, and a push or a spread reserves 16 more: 140. */
  #keys: readonly string[] | Set<string> = NONE
  /** By which tokens know it from what was remembered under the same id before, or later. */
  pageLoadNonce: string | undefined
  #holders: Set<ViewableListener> | undefined

  has(key: string): boolean {
    return this.#keys instanceof Set ? this.#keys.has(key) : this.#keys.includes(key)
  }

  add(key: string): void {
    if (this.#keys instanceof Set) this.#keys.add(key)
    else if (this.#keys.length < FEW) this.#keys = exactlyWith(this.#keys, key)
    else this.#keys = new Set([...this.#keys, key])
  }

  delete(key: string): void {
    if (this.#keys instanceof Set) this.#keys.delete(key)
    else this.#keys = this.#keys.filter((other) => other !== key)
  }

  /** From now on the holder is told what has been seen. */
  addListener(holder: ViewableListener): void {
    this.#holders ??= new Set()
    this.#holders.add(holder)
  }

  removeListener(holder: ViewableListener): void {
    this.#holders?.delete(holder)
    // What is remembered for long is small.
    if (this.#holders?.size === 0) this.#holders = undefined
  }

  /** Once it is seen it counts, even if the rest of its page never arrives. */
  notifyViewable(key: string): void {
    for (const holder of this.#holders ?? []) holder.onViewable(key)
  }
}

function exactlyWith(keys: readonly string[], key: string): readonly string[] {
  const longer = new Array<string>(keys.length + 1).fill(key)
  for (const [index, known] of keys.entries()) longer[index] = known
  return longer
}

/** By which a campaign counts once: networks may have the same ids. */
export function formatOnceKey(network: string, campaign: string | number): string {
  return `${network}:${campaign}`
}

/** The keys of one network's campaigns, each of them one text however many page loads hold it. */
export class OnceKeys {
  readonly #network: string
  readonly #known = new Map<string | number, string>()

  constructor(network: string) {
    this.#network = network
  }

  get(campaign: string | number): string {
    const known = this.#known.get(campaign)
    if (known !== undefined) return known
    if (this.#known.size >= MAX_KNOWN_KEYS) this.#known.clear()
    const key = formatOnceKey(this.#network, campaign)
    this.#known.set(campaign, key)
    return key
  }
}

export interface DedupeLimits {
  /** Most page loads remembered. */
  readonly max: number
  /** How long a page load is remembered after its first impression, in milliseconds. */
  readonly ttlMs: number
}

/** Remembers, by request id, what page loads have counted: once per page load, never twice. */
export interface Dedupe {
  /**
   * The page load's set: one look-up, however many impressions it has. Requests with the same id
   * share the set by reference, so that eviction never forgets a page that is still open.
   */
  open(requestId: string): CountedCampaigns
  /** What a page load has counted, if it is remembered. */
  find(requestId: string): CountedCampaigns | undefined
  /** Remembers what a page load has counted under this id, from now on for the whole time. */
  remember(requestId: string, counted: CountedCampaigns): void
}

export function createDedupe({ max, ttlMs }: DedupeLimits, now: () => number): Dedupe {
  // ttlResolution 0: the injected clock is asked each time, not once a tick of the real one.
  const pageLoads = new LRUCache<string, CountedCampaigns>({
    max,
    ttl: ttlMs,
    ttlResolution: 0,
    perf: { now },
  })
  return {
    open(requestId) {
      const known = pageLoads.get(requestId)
      if (known) return known
      const fresh = new CountedCampaigns()
      pageLoads.set(requestId, fresh)
      return fresh
    },
    find: (requestId) => pageLoads.get(requestId),
    remember(requestId, counted) {
      pageLoads.set(requestId, counted)
    },
  }
}
