import { LRUCache } from 'lru-cache'
import { copyText } from '../request/copy-text.js'

const NO_KEYS: readonly string[] = []
/** More campaigns than run at one time. */
const MAX_CACHED_KEYS = 10_000
/** With more keys than these, a set is faster to search than an array. */
const MAX_ARRAY_KEYS = 8

/** Hears that a campaign of its page load has been viewable. */
export interface ViewableListener {
  onViewable(onceKey: string): void
}

/** The campaigns that one page load has counted, each by its once key. */
export class CountedCampaigns {
  /** An array of exact length while it is short: page loads are many, and most have few campaigns. */
  #keys: readonly string[] | Set<string> = NO_KEYS
  /** Tells this page load from an earlier or later one with the same request id. */
  pageLoadNonce: string | undefined
  /**
   * The last key, if its impression was not accepted because the stack overflowed. A field, since
   * no method can be called at that moment.
   */
  revokedKey: string | undefined
  #listeners: Set<ViewableListener> | undefined

  has(key: string): boolean {
    if (this.revokedKey !== undefined) {
      this.#delete(this.revokedKey)
      this.revokedKey = undefined
    }
    return this.#keys instanceof Set ? this.#keys.has(key) : this.#keys.includes(key)
  }

  add(key: string): void {
    if (this.#keys instanceof Set) this.#keys.add(key)
    else if (this.#keys.length < MAX_ARRAY_KEYS) this.#keys = appendExactly(this.#keys, key)
    else this.#keys = new Set([...this.#keys, key])
  }

  #delete(key: string): void {
    if (this.#keys instanceof Set) this.#keys.delete(key)
    else this.#keys = this.#keys.filter((other) => other !== key)
  }

  addListener(listener: ViewableListener): void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
  }

  removeListener(listener: ViewableListener): void {
    this.#listeners?.delete(listener)
    // An object that is remembered for long should not keep an empty set.
    if (this.#listeners?.size === 0) this.#listeners = undefined
  }

  notifyViewable(key: string): void {
    for (const listener of this.#listeners ?? []) listener.onViewable(key)
  }
}

/** A copy with one more key. `push` and spread would reserve room for more. */
function appendExactly(keys: readonly string[], key: string): readonly string[] {
  const longer = new Array<string>(keys.length + 1).fill(key)
  for (const [index, known] of keys.entries()) longer[index] = known
  return longer
}

/** The key under which a campaign counts once. It names the network, since ids may be the same. */
export function formatOnceKey(network: string, campaign: string | number): string {
  return `${network}:${campaign}`
}

/** One network's once keys. Page loads share one string per campaign. */
export class OnceKeys {
  readonly #network: string
  readonly #cache = new Map<string | number, string>()

  constructor(network: string) {
    this.#network = network
  }

  get(campaign: string | number): string {
    const cached = this.#cache.get(campaign)
    if (cached !== undefined) return cached
    if (this.#cache.size >= MAX_CACHED_KEYS) this.#cache.clear()
    const key = copyText(formatOnceKey(this.#network, campaign))
    this.#cache.set(campaign, key)
    return key
  }
}

export interface DedupeLimits {
  /** Most page loads that are remembered. */
  readonly max: number
  /** How long a page load is remembered after its first impression, in milliseconds. */
  readonly ttlMs: number
}

/** Remembers, by request id, which campaigns page loads have counted. */
export interface Dedupe {
  /**
   * The campaigns of a page load, which is remembered from now on. Requests with the same id share
   * the object by reference, so that eviction never forgets a page that is still open.
   */
  open(requestId: string): CountedCampaigns
  /** The campaigns of a page load; `undefined` if it is not remembered. */
  find(requestId: string): CountedCampaigns | undefined
  /** Remembers a page load under this id for a full `ttlMs` from now. */
  remember(requestId: string, campaigns: CountedCampaigns): void
}

export function createDedupe({ max, ttlMs }: DedupeLimits, now: () => number): Dedupe {
  // With a ttlResolution, lru-cache would cache the time by a timer of the real clock.
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
      const campaigns = new CountedCampaigns()
      pageLoads.set(requestId, campaigns)
      return campaigns
    },
    find: (requestId) => pageLoads.get(requestId),
    remember(requestId, campaigns) {
      pageLoads.set(requestId, campaigns)
    },
  }
}
