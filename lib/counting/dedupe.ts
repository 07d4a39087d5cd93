import { LRUCache } from 'lru-cache'
import { copyText, type PageLoadIdentity } from '../impression.js'
import type { UsedTokens } from './used-tokens.js'

const NO_KEYS: readonly string[] = []
/** More campaigns than run at one time. */
const MAX_CACHED_KEYS = 10_000
/** With more keys than these, a set is faster to search than an array. */
const MAX_ARRAY_KEYS = 8
/** Far more than a page shows: a client may choose both the request id and the campaigns. */
export const MAX_CAMPAIGNS = 1_000

/** Hears that a campaign of its page load has been viewable. */
export interface ViewableListener {
  onViewable(onceKey: string): void
}

/**
 * The campaigns that one page load has counted, each by its once key. Page loads are many, so it is
 * small: fields are created when they are needed, and a private method would take one more.
 */
export class CountedCampaigns {
  /** An array of exact length while it is short: most page loads have few campaigns. */
  #keys: readonly string[] | Set<string> = NO_KEYS
  /** The request id that the page load began with. */
  readonly id: string
  /**
   * The last key, if its impression was not accepted because the stack overflowed. A field, since
   * no method can be called at that moment.
   */
  revokedKey: string | undefined
  #usedTokens: UsedTokens | undefined
  /** The keys that this page load has issued tokens for. */
  #issuedKeys: Set<string> | undefined
  #listeners: Set<ViewableListener> | undefined

  /** @param usedTokens given if tokens of this page load may have counted already */
  constructor(id: string, usedTokens?: UsedTokens) {
    this.id = id
    this.#usedTokens = usedTokens
  }

  /** Whether the page load has as many campaigns as can be remembered. */
  get isFull(): boolean {
    const counted = this.#keys instanceof Set ? this.#keys.size : this.#keys.length
    return Math.max(counted, this.#issuedKeys?.size ?? 0) >= MAX_CAMPAIGNS
  }

  has(key: string): boolean {
    if (this.revokedKey !== undefined) {
      this.delete(this.revokedKey)
      this.revokedKey = undefined
    }
    const hasCounted = this.#keys instanceof Set ? this.#keys.has(key) : this.#keys.includes(key)
    return hasCounted || this.#usedTokens?.has(this.id, key) === true
  }

  add(key: string): void {
    if (this.#issuedKeys?.has(key)) this.#usedTokens?.add(this.id, key)
    if (this.#keys instanceof Set) this.#keys.add(key)
    else if (this.#keys.length < MAX_ARRAY_KEYS) this.#keys = appendExactly(this.#keys, key)
    else this.#keys = new Set([...this.#keys, key])
  }

  delete(key: string): void {
    this.#usedTokens?.delete(this.id, key)
    if (this.#keys instanceof Set) this.#keys.delete(key)
    else this.#keys = this.#keys.filter((other) => other !== key)
  }

  /**
   * From now on a token may be reported for this key, also after the page load is forgotten.
   *
   * @returns whether it is the first token for this key
   */
  issue(key: string, usedTokens: UsedTokens): boolean {
    this.#usedTokens = usedTokens
    this.#issuedKeys ??= new Set()
    const isFirst = !this.#issuedKeys.has(key)
    this.#issuedKeys.add(key)
    if (this.has(key)) usedTokens.add(this.id, key)
    return isFirst
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

export interface DedupeOptions {
  /** The most page loads that are remembered of each kind: created here, and named by a request. */
  readonly max: number
  /** How long a page load is remembered after its first impression, in milliseconds. */
  readonly ttlMs: number
  readonly now: () => number
  /** `undefined` without the option `visibility`. */
  readonly usedTokens?: UsedTokens | undefined
}

/**
 * Remembers, by request id, which campaigns page loads have counted. Two LRUs, so that ids which a
 * client invents never evict page loads whose ids were created here.
 */
export class Dedupe {
  readonly #createLru: () => LRUCache<string, CountedCampaigns>
  // Each is created when it is needed, because it allocates memory for `max` entries.
  #created: LRUCache<string, CountedCampaigns> | undefined
  #named: LRUCache<string, CountedCampaigns> | undefined
  /** The page loads with tokens whose response is still open: as many as there are responses. */
  readonly #open = new Map<string, CountedCampaigns>()
  readonly #usedTokens: UsedTokens | undefined

  constructor({ max, ttlMs, now, usedTokens }: DedupeOptions) {
    // With a ttlResolution, lru-cache would cache the time by a timer of the real clock.
    this.#createLru = () => new LRUCache({ max, ttl: ttlMs, ttlResolution: 0, perf: { now } })
    this.#usedTokens = usedTokens
  }

  /**
   * The campaigns of a page load that displays its first one. If a later request can carry its id,
   * the page load is remembered from now on. Requests with the same id share the object by
   * reference, so that eviction never forgets a page that is still open.
   */
  open({ requestId, canRecur }: PageLoadIdentity): CountedCampaigns {
    if (!canRecur) return new CountedCampaigns(requestId)
    const known = this.find(requestId)
    if (known) return known
    const campaigns = new CountedCampaigns(requestId, this.#usedTokens)
    this.#named ??= this.#createLru()
    this.#named.set(requestId, campaigns)
    return campaigns
  }

  /** The campaigns of a page load; `undefined` if it is not remembered. */
  find(requestId: string): CountedCampaigns | undefined {
    return this.#open.get(requestId) ?? this.#created?.get(requestId) ?? this.#named?.get(requestId)
  }

  /** Whether the id was created here, and its page load is remembered. */
  readonly hasCreated = (requestId: string): boolean => this.#created?.has(requestId) === true

  /** Remembers a page load under an id that was created here, for a full `ttlMs` from now. */
  remember(requestId: string, campaigns: CountedCampaigns): void {
    this.#created ??= this.#createLru()
    this.#created.set(requestId, campaigns)
  }

  /** Finds the page load whatever else is remembered, until `forgetOpen`. */
  keepOpen(requestId: string, campaigns: CountedCampaigns): void {
    this.#open.set(requestId, campaigns)
  }

  /** The response has ended. */
  forgetOpen(requestId: string, campaigns: CountedCampaigns): void {
    if (this.#open.get(requestId) === campaigns) this.#open.delete(requestId)
  }
}
