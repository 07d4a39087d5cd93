import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { formatOnceKey } from '../counting/dedupe.js'
import type { ImpressionDetails } from '../impression.js'

/** What a token vouches for: a valid, admitted impression that waits to be seen. */
export interface TokenPayload extends ImpressionDetails {
  readonly onceKey: string
  readonly isExpired: boolean
  /** Whether it was issued here: then its page load is remembered here, or was. */
  readonly issuedHere: boolean
  /** What the page load's memory holds, if it is still the one that the token was issued with. */
  readonly pageLoadNonce: string
}

/** Past this many characters nothing is a token: the longest search query makes some 11,000. */
const MAX_TOKEN_CHARACTERS = 16_384
const TOKEN = /^(?<payload>[\w-]+)\.(?<signature>[\w-]{43})$/

/** What is signed begins with this: a secret that signs other things as well signs no token. */
const CONTEXT = 'ad-impressions visible 1 '

export interface TokensOptions {
  /** The first one signs, and each is good for checking: so secrets are rotated. */
  readonly secrets: readonly KeyObject[]
  readonly ttlMs: number
  readonly now: () => number
}

/**
 * Signs and reads tokens: base64url of a JSON array, a dot, and its HMAC-SHA-256 (RFC 2104). They
 * hold what the viewer's own request told, the page load's id, and no key.
 */
export class Tokens {
  readonly #secrets: readonly KeyObject[]
  readonly #ttlMs: number
  readonly #now: () => number
  readonly #issuer = randomBytes(6).toString('base64url')
  #marks = 0

  constructor({ secrets, ttlMs, now }: TokensOptions) {
    this.#secrets = secrets
    this.#ttlMs = ttlMs
    this.#now = now
  }

  /** A mark for one page load: no other one's, in any process. */
  createPageLoadNonce(): string {
    this.#marks += 1
    return `${this.#issuer}${this.#marks.toString(36)}`
  }

  /** @throws if the item is nothing that JSON can hold, or too much */
  issue(impression: ImpressionDetails, onceKey: string, mark: string): string {
    const { network, requestId, campaignId, batchKey, item, placement, offerId } = impression
    const [secret] = this.#secrets
    if (!secret) throw new RangeError('no secret')
    const expiresAtMs = this.#now() + this.#ttlMs
    // Most often it says nothing new: left out, it makes tokens shorter.
    const ownKey = onceKey === formatOnceKey(network, campaignId) ? '' : onceKey
    const vouched = [expiresAtMs, mark, network, requestId, campaignId, ownKey, batchKey, item]
    // JSON has no `undefined`.
    const shown = [placement ?? 0, offerId ?? 0]
    const payload = Buffer.from(JSON.stringify([...vouched, ...shown])).toString('base64url')
    const token = `${payload}.${sign(payload, secret)}`
    if (token.length <= MAX_TOKEN_CHARACTERS) return token
    throw new RangeError(`its token has more than ${MAX_TOKEN_CHARACTERS} characters`)
  }

  /** `undefined` if it was not issued with one of the secrets. */
  read(token: string): TokenPayload | undefined {
    if (token.length > MAX_TOKEN_CHARACTERS) return undefined
    const { payload, signature } = TOKEN.exec(token)?.groups ?? {}
    if (payload === undefined || signature === undefined) return undefined
    // As text: two texts may be the same bytes.
    const given = Buffer.from(signature)
    const isGood = (secret: KeyObject) => timingSafeEqual(Buffer.from(sign(payload, secret)), given)
    if (!this.#secrets.some(isGood)) return undefined
    // Signed, so that it is what `issue` wrote.
    const [expiresAtMs, pageLoadNonce, network, requestId, campaignId, ownKey, ...rest] =
      JSON.parse(Buffer.from(payload, 'base64url').toString())
    const [batchKey, item, placement, offerId] = rest
    const onceKey = ownKey || formatOnceKey(network, campaignId)
    const isExpired = this.#now() >= expiresAtMs
    const issuedHere = pageLoadNonce.startsWith(this.#issuer)
    return {
      network,
      requestId,
      campaignId,
      onceKey,
      batchKey,
      item,
      placement: placement || undefined,
      offerId: offerId || undefined,
      pageLoadNonce,
      isExpired,
      issuedHere,
    }
  }
}

function sign(payload: string, secret: KeyObject): string {
  return createHmac('sha256', secret).update(CONTEXT).update(payload).digest('base64url')
}
