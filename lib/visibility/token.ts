import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Impression } from '../impression.js'

/** What a token vouches for: a valid, admitted impression that waits to be seen. */
export interface Vouched
  extends Pick<Impression, 'network' | 'requestId' | 'campaignId' | 'batchKey' | 'item'> {
  readonly onceKey: string
  readonly isExpired: boolean
  /** Whether it was issued here: then its page load is remembered here, or was. */
  readonly isOwn: boolean
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

  constructor({ secrets, ttlMs, now }: TokensOptions) {
    this.#secrets = secrets
    this.#ttlMs = ttlMs
    this.#now = now
  }

  /** @throws if the item is nothing that JSON can hold */
  issue(impression: Impression, onceKey: string): string {
    const { network, requestId, campaignId, batchKey, item } = impression
    const [secret] = this.#secrets
    if (!secret) throw new RangeError('no secret')
    const expiresAtMs = this.#now() + this.#ttlMs
    const vouched = [
      expiresAtMs,
      this.#issuer,
      network,
      requestId,
      campaignId,
      onceKey,
      batchKey,
      item,
    ]
    const payload = Buffer.from(JSON.stringify(vouched)).toString('base64url')
    return `${payload}.${sign(payload, secret).toString('base64url')}`
  }

  /** `undefined` if it was not issued with one of the secrets. */
  read(token: string): Vouched | undefined {
    if (token.length > MAX_TOKEN_CHARACTERS) return undefined
    const { payload, signature } = TOKEN.exec(token)?.groups ?? {}
    if (payload === undefined || signature === undefined) return undefined
    const given = Buffer.from(signature, 'base64url')
    if (!this.#secrets.some((secret) => timingSafeEqual(sign(payload, secret), given))) {
      return undefined
    }
    // Signed, so that it is what `issue` wrote.
    const [expiresAtMs, issuer, network, requestId, campaignId, onceKey, batchKey, item] =
      JSON.parse(Buffer.from(payload, 'base64url').toString())
    const isExpired = this.#now() >= expiresAtMs
    const isOwn = issuer === this.#issuer
    return { network, requestId, campaignId, onceKey, batchKey, item, isExpired, isOwn }
  }
}

function sign(payload: string, secret: KeyObject): Buffer {
  return createHmac('sha256', secret).update(CONTEXT).update(payload).digest()
}
