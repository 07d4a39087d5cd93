import type { QuotaWindow } from '../../networks/network.js'
import type { Remaining } from './rate-limit-headers.js'
import { SlidingWindow } from './sliding-window.js'

/** Windows that are remembered, including those that the network no longer names. */
const MAX_WINDOWS = 16

/** The windows of a network: the published ones, and those that its answers name. */
export class QuotaWindows {
  #all: readonly SlidingWindow[]
  /** The lengths of the windows that the network's documents publish. */
  readonly #publishedMs: readonly number[]

  constructor(published: readonly QuotaWindow[]) {
    this.#all = published.map((window) => new SlidingWindow(window))
    this.#publishedMs = published.map(({ windowMs }) => windowMs)
  }

  get all(): readonly SlidingWindow[] {
    return this.#all
  }

  /** The window that an answer is about: the one that it names, else the shortest that fits. */
  find({ calls, untilMs, limit, windowMs }: Remaining, atMs: number): SlidingWindow | undefined {
    return this.#all
      .filter((window) => {
        if (windowMs !== undefined) return window.windowMs === windowMs
        const hasLimit = limit === undefined ? window.limit >= calls : window.limit === limit
        return hasLimit && window.windowMs >= untilMs - atMs && Number.isFinite(window.limit)
      })
      .sort((one, other) => one.windowMs - other.windowMs)[0]
  }

  /** Replaces the history: calls that ended so long ago at the latest, oldest first. */
  restore(agesMs: readonly number[], nowMs: number): void {
    this.#all = this.#all.map(({ limit, windowMs }) => {
      const restored = new SlidingWindow({ limit, windowMs })
      for (const ageMs of agesMs) if (ageMs < windowMs) restored.onCallEnd(nowMs - ageMs)
      return restored
    })
  }

  /** Calls already made still count, in new windows and in windows that come back. */
  adoptPolicy(policy: readonly QuotaWindow[], isWhole: boolean): void {
    const isOwn = this.#publishedMs.every((ms) => policy.some(({ windowMs }) => windowMs === ms))
    if (isOwn) this.#replacePolicy(policy, isWhole)
    else this.#narrowPolicy(policy)
    this.#all = this.#all.slice(0, MAX_WINDOWS)
  }

  /** A policy that names all published windows is the network's own: it may widen them. */
  #replacePolicy(policy: readonly QuotaWindow[], isWhole: boolean): void {
    const named = policy.map((quota) => {
      const window = this.#findOrCreateWindow(quota)
      window.limit = quota.limit
      return window
    })
    const unnamed = this.#all.filter((window) => !named.includes(window))
    if (isWhole) for (const window of unnamed) window.limit = Number.POSITIVE_INFINITY
    this.#all = [...named, ...unnamed]
  }

  /** Any other policy may be a gateway's: it cannot lift a window, nor block for longer than one. */
  #narrowPolicy(policy: readonly QuotaWindow[]): void {
    const longestMs = Math.max(...this.#publishedMs)
    for (const quota of policy.filter(({ windowMs }) => windowMs <= longestMs)) {
      const window = this.#findOrCreateWindow(quota)
      window.limit = Math.min(window.limit, quota.limit)
      if (!this.#all.includes(window)) this.#all = [...this.#all, window]
    }
  }

  #findOrCreateWindow(quota: QuotaWindow): SlidingWindow {
    const known = this.#all.find(({ windowMs }) => windowMs === quota.windowMs)
    if (known) return known
    const [longest] = [...this.#all].sort((one, other) => other.windowMs - one.windowMs)
    return longest?.withQuota(quota) ?? new SlidingWindow(quota)
  }
}
