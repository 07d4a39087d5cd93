import { LRUCache } from 'lru-cache'

/** What one page load has counted already: network, campaign and, where asked for, offer. */
export type Counted = Set<string>

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
  counted(requestId: string): Counted
  /** What a page load has counted, if it is remembered. */
  recall(requestId: string): Counted | undefined
  /** Remembers what a page load has counted under this id, from now on for the whole time. */
  remember(requestId: string, counted: Counted): void
}

export function createDedupe({ max, ttlMs }: DedupeLimits, now: () => number): Dedupe {
  // ttlResolution 0: the injected clock is asked each time, not once a tick of the real one.
  const pageLoads = new LRUCache<string, Counted>({
    max,
    ttl: ttlMs,
    ttlResolution: 0,
    perf: { now },
  })
  return {
    counted(requestId) {
      const known = pageLoads.get(requestId)
      if (known) return known
      const fresh: Counted = new Set()
      pageLoads.set(requestId, fresh)
      return fresh
    },
    recall: (requestId) => pageLoads.get(requestId),
    remember(requestId, counted) {
      pageLoads.set(requestId, counted)
    },
  }
}
