import { createHash } from 'node:crypto'
import type { Log } from '../logger.js'

/** Each part of the record covers this share of its time, so that it can be forgotten as a whole. */
const PARTS = 8
/** Enough that no two campaigns of page loads share one, and short enough to keep a million. */
const DIGEST_BYTES = 12

/** The campaigns recorded since `startedAtMs`. */
interface Part {
  readonly startedAtMs: number
  readonly digests: Set<string>
}

export interface UsedTokensOptions {
  /** The most entries. One takes less than 100 bytes. */
  readonly max: number
  /** How long an entry is kept at least, in milliseconds: as long as a token can be valid. */
  readonly ttlMs: number
  /** The clock that tokens expire by. */
  readonly now: () => number
  readonly log: Log
}

/**
 * Records which campaigns with a visibility token have counted, so that a token counts once. Only
 * tokens that a site signed make entries, and none is forgotten before its token has expired.
 */
export class UsedTokens {
  readonly #options: UsedTokensOptions
  /** The latest first. */
  #parts: readonly Part[] = []

  constructor(options: UsedTokensOptions) {
    this.#options = options
  }

  /** Whether one more token can be used. To forget another one instead would let it count again. */
  hasRoom(): boolean {
    const { max, log } = this.#options
    this.#forgetExpired()
    const size = this.#parts.reduce((sum, { digests }) => sum + digests.size, 0)
    if (size < max) return true
    log.error(
      'overflow used-tokens',
      `visible impressions are dropped: ${max} have counted in visibility.tokenTtlMs, and no more ` +
        'are remembered (raise dedupe.max)',
    )
    return false
  }

  /** @param pageLoad the id of the page load, as in the token */
  has(pageLoad: string, onceKey: string): boolean {
    this.#forgetExpired()
    const digest = createDigest(pageLoad, onceKey)
    return this.#parts.some(({ digests }) => digests.has(digest))
  }

  /** Records the campaign for a full `ttlMs` from now, even if it is recorded already. */
  add(pageLoad: string, onceKey: string): void {
    this.#forgetExpired()
    this.delete(pageLoad, onceKey)
    this.#latestPart().digests.add(createDigest(pageLoad, onceKey))
  }

  /** The campaign has not counted after all. */
  delete(pageLoad: string, onceKey: string): void {
    const digest = createDigest(pageLoad, onceKey)
    for (const { digests } of this.#parts) digests.delete(digest)
  }

  #latestPart(): Part {
    const nowMs = this.#options.now()
    const [latest] = this.#parts
    if (latest && nowMs < latest.startedAtMs + this.#options.ttlMs / PARTS) return latest
    const part = { startedAtMs: nowMs, digests: new Set<string>() }
    this.#parts = [part, ...this.#parts]
    return part
  }

  #forgetExpired(): void {
    const { now, ttlMs } = this.#options
    // The last entry of a part may be as much younger than its first one.
    const beforeMs = now() - ttlMs - ttlMs / PARTS
    if (this.#parts.some(({ startedAtMs }) => startedAtMs < beforeMs)) {
      this.#parts = this.#parts.filter(({ startedAtMs }) => startedAtMs >= beforeMs)
    }
  }
}

/**
 * Names a campaign of a page load. It has the same short length for every id, and keeps no part of a
 * request in memory.
 */
export function createDigest(pageLoad: string, onceKey: string): string {
  const digest = createHash('sha256').update(`${pageLoad}\n${onceKey}`).digest()
  return digest.toString('base64url', 0, DIGEST_BYTES)
}
