/** Placements take turns, as on a page with several slots. */
const PLACEMENTS = ['header_banner', 'article_inline', 'sidebar']

export function placementOf(campaign: number): string {
  return PLACEMENTS[campaign % PLACEMENTS.length] ?? ''
}

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
