import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { formatOnceKey } from '../counting/dedupe.js'
import type { Impression, ImpressionDetails } from '../impression.js'

/** What a token carries: a valid, admitted impression that counts once its ad is visible. */
export interface TokenPayload extends ImpressionDetails {
  /** The network's name. */
  readonly network: string
  readonly requestId: string
  readonly onceKey: string
  readonly isExpired: boolean
  /** Whether this process issued the token. If so, it remembered the token's page load. */
  readonly issuedHere: boolean
  /** Tells the token's page load from a later one with the same request id. */
  readonly pageLoadNonce: string
}

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
  readonly #issuer = randomBytes(6).toString('base64url')
  #nonces = 0

  constructor({ secrets, ttlMs, now }: TokensOptions) {
    this.#secrets = secrets
    this.#ttlMs = ttlMs
    this.#now = now
  }

  /** @returns a value that no other page load has, in this or any other process */
  createPageLoadNonce(): string {
    this.#nonces += 1
    return `${this.#issuer}${this.#nonces.toString(36)}`
  }

  /** @throws if JSON cannot represent the item, or if the token would be too long */
  issue(impression: Impression, onceKey: string, pageLoadNonce: string): string {
    const { network, requestId, campaignId, batchKey, item, placement, offerId } = impression
    const [secret] = this.#secrets
    if (!secret) throw new RangeError('no secret')
    // The usual key follows from other fields: omitting it makes the token shorter.
    const customKey = onceKey === formatOnceKey(network, campaignId) ? '' : onceKey
    const fields = [
      this.#now() + this.#ttlMs,
      pageLoadNonce,
      network,
      requestId,
      campaignId,
      customKey,
      batchKey,
      item,
      // JSON has no `undefined`.
      placement ?? '',
      offerId ?? '',
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
    const [expiresAtMs, pageLoadNonce, network, requestId, campaignId, customKey, ...rest] =
      JSON.parse(Buffer.from(payload, 'base64url').toString())
    const [batchKey, item, placement, offerId] = rest
    return {
      network,
      requestId,
      campaignId,
      onceKey: customKey || formatOnceKey(network, campaignId),
      batchKey,
      item,
      placement: placement || undefined,
      offerId: offerId || undefined,
      pageLoadNonce,
      isExpired: this.#now() >= expiresAtMs,
      issuedHere: pageLoadNonce.startsWith(this.#issuer),
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
