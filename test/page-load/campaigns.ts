import type { ClosientImpression } from '../../lib/networks/closient.js'
import type { EnsImpression } from '../../lib/networks/ens.js'

const DIGITS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** An ad of an ENS campaign. */
export function ensAd(campaignId = 42): EnsImpression {
  return { campaignId, placement: 'header_banner' }
}

/** An ad of the `n`th Closient campaign. */
export function closientAd(n = 0): ClosientImpression {
  return { campaignId: shortuuid(n) }
}

/** The `n`th campaign id of Closient. */
export function shortuuid(n: number): string {
  const last = DIGITS.charAt(n % DIGITS.length)
  const rest = Math.floor(n / DIGITS.length)
  return `mhvXdrZT4jP5T8vBxu${DIGITS.charAt(rest)}m7${last}`
}
