import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type CountedCampaigns, formatOnceKey } from '../counting/dedupe.js'
import type { Impression, ImpressionDetails } from '../impression.js'

/** What a token carries: a valid, admitted impression that counts once its ad is visible. */
export interface TokenPayload extends ImpressionDetails {
  /** The network's name. */
  readonly network: string
  readonly requestId: string
  readonly onceKey: string
  /** Names the page load in the record of used tokens. */
  readonly pageLoad: string
  /** Whether its campaign had counted before it was issued: other processes may not know. */
  readonly hasCounted: boolean
  readonly isExpired: boolean
  /** Whether its ad cannot have been viewable for the required second yet. */
  readonly isTooEarly: boolean
}

/**
 * How long an ad must be in view to be viewable (MRC Viewable Ad Impression Measurement Guidelines:
 * https://mediaratingcouncil.org/standards-and-guidelines).
 */
const VIEWABLE_MS = 1_000

/** Leaves room for the longest search query, percent-encoded and in base64. */
const MAX_TOKEN_CHARACTERS = 16_384
const TOKEN = /^(?<payload>[\w-]+)\.(?<signature>[\w-]{43})$/

/**
 * Signed along with every payload, so that a signature made for another purpose with the same secret
 * is not a valid token.
 */
const CONTEXT = 'ad-impressions visible 1 '

export interface TokensOptions {
  /** The first one signs and all of them verify, so that secrets can be rotated. */
  readonly secrets: readonly KeyObject[]
  readonly ttlMs: number
  readonly now: () => number
}

/**
 * Issues and reads tokens: a JSON array in base64url, a dot, and its HMAC-SHA-256
 * (https://www.rfc-editor.org/rfc/rfc2104). Tokens are signed but not encrypted: they hold only what
 * came from the viewer's own request and the page's input, and no key.
 */
export class Tokens {
  readonly #secrets: readonly KeyObject[]
  readonly #ttlMs: number
  readonly #now: () => number

  constructor({ secrets, ttlMs, now }: TokensOptions) {
    this.#secrets = secrets
    this.#ttlMs = ttlMs
    this.#now = now
  }

  /**
   * @param campaigns of its page load
   * @throws if JSON cannot represent the item, or if the token would be too long
   */
  issue(impression: Impression, onceKey: string, campaigns: CountedCampaigns): string {
    const { network, requestId, campaignId, batchKey, item, placement, offerId } = impression
    const [secret] = this.#secrets
    if (!secret) throw new RangeError('no secret')
    // What usually follows from other fields is omitted, so that the token is shorter.
    const customKey = onceKey === formatOnceKey(network, campaignId) ? '' : onceKey
    const otherPageLoad = campaigns.id === requestId ? '' : campaigns.id
    const fields = [
      this.#now() + this.#ttlMs,
      this.#ttlMs,
      network,
      requestId,
      campaignId,
      customKey,
      batchKey,
      item,
      // JSON has no `undefined`.
      placement ?? '',
      offerId ?? '',
      otherPageLoad,
      ...(campaigns.has(onceKey) ? [1] : []),
    ]
    const payload = Buffer.from(JSON.stringify(fields)).toString('base64url')
    const token = `${payload}.${sign(payload, secret)}`
    if (token.length <= MAX_TOKEN_CHARACTERS) return token
    throw new RangeError(`its token has more than ${MAX_TOKEN_CHARACTERS} characters`)
  }

  /** @returns `undefined` if none of the secrets signed the token; expired tokens are returned */
  read(token: string): TokenPayload | undefined {
    const payload = this.#verify(token)
    if (payload === undefined) return undefined
    // The signature proves that `issue()` wrote this, so its shape is not checked again.
    const [expiresAtMs, ttlMs, network, requestId, campaignId, customKey, ...rest] = JSON.parse(
      Buffer.from(payload, 'base64url').toString(),
    )
    const [batchKey, item, placement, offerId, otherPageLoad, hasCounted] = rest
    const ageMs = this.#now() - (expiresAtMs - ttlMs)
    return {
      network,
      requestId,
      campaignId,
      onceKey: customKey || formatOnceKey(network, campaignId),
      batchKey,
      item,
      placement: placement || undefined,
      offerId: offerId || undefined,
      pageLoad: otherPageLoad || requestId,
      hasCounted: hasCounted === 1,
      // This process remembers for its own time to live that a token was used, whoever issued it.
      isExpired: ageMs >= Math.min(ttlMs, this.#ttlMs),
      isTooEarly: ageMs < VIEWABLE_MS,
    }
  }

  #verify(token: string): string | undefined {
    if (token.length > MAX_TOKEN_CHARACTERS) return undefined
    const { payload, signature } = TOKEN.exec(token)?.groups ?? {}
    if (payload === undefined || signature === undefined) return undefined
    // Compared as text: several base64url texts decode to the same bytes.
    const given = Buffer.from(signature)
    const isSignedWith = (secret: KeyObject) =>
      timingSafeEqual(Buffer.from(sign(payload, secret)), given)
    return this.#secrets.some(isSignedWith) ? payload : undefined
  }
}

function sign(payload: string, secret: KeyObject): string {
  return createHmac('sha256', secret).update(CONTEXT).update(payload).digest('base64url')
}
