import type { Clock } from '../clock.js'
import type { Account, Statistics } from '../counting/statistics.js'
import type { Drop, Impression, Outcome } from '../impression.js'
import type { Log } from '../logger.js'

/** A flush under way: it ends when all that was accepted up to `upTo` has its outcome. */
interface Flush {
  readonly upTo: number
  left: number
  readonly end: () => void
}

/** How one network's pending impressions end: each is counted, told, and awaited by flushes. */
export class PendingImpressions {
  readonly #network: string
  readonly #account: Account
  readonly #books: Statistics
  readonly #log: Log
  readonly #flushes = new Set<Flush>()
  /** Sent before, and may have counted: these can no longer end as never sent. */
  readonly #doubtful = new WeakSet<Impression>()
  #sequence = 0

  constructor(network: string, account: Account, books: Statistics, log: Log) {
    this.#network = network
    this.#account = account
    this.#books = books
    this.#log = log
  }

  /** An impression is pending from here on. */
  begin(impression: Impression): void {
    this.#sequence += 1
    impression.sequence = this.#sequence
    this.#account.pending += 1
  }

  /** Of these, the ones that another process accepted are pending here from now on. */
  adopt(impressions: readonly Impression[]): void {
    for (const impression of impressions) {
      if (impression.sequence !== 0) continue
      this.#account.tracked += 1
      this.begin(impression)
    }
  }

  /** These may have counted, and are sent again all the same. */
  doubt(impressions: readonly Impression[]): void {
    for (const impression of impressions) this.#doubtful.add(impression)
  }

  end(impressions: readonly Impression[], outcome: Outcome, reason: string): void {
    if (outcome !== 'delivered' && outcome !== 'dropped' && impressions.length > 0) {
      const kind = `${outcome} ${this.#network}`
      this.#log.warn(kind, `${this.#network}: impression ${outcome}: ${reason}`)
    }
    for (const impression of impressions) {
      this.#account.pending -= 1
      this.#books.conclude(this.#account, impression, outcome, reason)
      for (const flush of this.#flushes) this.#advance(flush, impression)
    }
  }

  /** These were refused for good; one that was sent before may have counted then. */
  reject(impressions: readonly Impression[], reason: string): void {
    const isDoubtful = (impression: Impression) => this.#doubtful.has(impression)
    const doubtful = impressions.filter(isDoubtful)
    const refused = impressions.filter((impression) => !isDoubtful(impression))
    this.end(doubtful, 'uncertain', `sent before, and then refused: ${reason}`)
    this.end(refused, 'rejected', reason)
  }

  /** These are given up unsent. Each is a line for the log, which tells once a minute how many. */
  drop(impressions: readonly Impression[], reason: Drop): void {
    const kind = `dropped ${reason} ${this.#network}`
    for (const impression of impressions) {
      if (this.#doubtful.has(impression)) {
        this.end([impression], 'uncertain', `sent before, and not again: ${reason}`)
        continue
      }
      this.#log.warn(kind, `${this.#network}: impression dropped unsent: ${reason}`)
      this.end([impression], 'dropped', reason)
    }
  }

  /**
   * Resolves when all that is pending now has its outcome, and keeps the process alive until then.
   *
   * @param longestMs the longest that a pending impression may still take
   */
  async flush(clock: Clock, longestMs: number): Promise<void> {
    const left = this.#account.pending
    if (left === 0) return
    await new Promise<void>((resolve) => {
      const release = clock.after(longestMs, () => {}, 'keeps-alive')
      const end = () => {
        release()
        resolve()
      }
      this.#flushes.add({ upTo: this.#sequence, left, end })
    })
  }

  #advance(flush: Flush, { sequence }: Impression): void {
    if (sequence > flush.upTo) return
    flush.left -= 1
    if (flush.left > 0) return
    this.#flushes.delete(flush)
    flush.end()
  }
}
