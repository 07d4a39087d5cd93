/** Placements take turns, as on a page with several slots. */
const PLACEMENTS = ['header_banner', 'article_inline', 'sidebar']

/** What tells ENS, or a peer, of a display of this campaign. */
export function ensInputOf(campaign: number) {
  return { campaignId: campaign, placement: PLACEMENTS[campaign % PLACEMENTS.length] ?? '' }
}

export type EnsInput = ReturnType<typeof ensInputOf>

export function closientInputOf(campaign: number) {
  return { campaignId: shortuuidOf(campaign) }
}

/** Who looks at the page, for the peers, which want to know. */
export const VIEWER = '7c9e6679-7425-40de-944b-e07fc1f90ae7'
export const EVENT = 'Ad Impression'

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const LENGTH = 22

/** A campaign's number as a shortuuid, which Closient's campaign ids are. */
export function shortuuidOf(campaign: number): string {
  let digits = ''
  for (let rest = campaign; rest > 0; rest = Math.floor(rest / ALPHABET.length)) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
  }
  return digits.padStart(LENGTH, ALPHABET.charAt(0))
}

/** The number that `shortuuidOf` wrote. */
export function campaignOf(shortuuid: string): number {
  let campaign = 0
  for (const digit of shortuuid) campaign = campaign * ALPHABET.length + ALPHABET.indexOf(digit)
  return campaign
}
