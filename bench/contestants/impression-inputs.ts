/** Used in turn, as on a page with several ad slots. */
const PLACEMENTS = ['header_banner', 'article_inline', 'sidebar']

/** The input for one display of a campaign, as ENS and the peers receive it. */
export function createEnsInput(campaign: number) {
  return { campaignId: campaign, placement: PLACEMENTS[campaign % PLACEMENTS.length] ?? '' }
}

export type EnsBenchInput = ReturnType<typeof createEnsInput>

export function createClosientInput(campaign: number) {
  return { campaignId: encodeCampaign(campaign) }
}

/** The peers require an id of the viewer. */
export const VIEWER_ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7'
export const EVENT_NAME = 'Ad Impression'

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const SHORTUUID_LENGTH = 22

/** Encodes a campaign number as a shortuuid, the form of Closient's campaign ids. */
export function encodeCampaign(campaign: number): string {
  let digits = ''
  for (let rest = campaign; rest > 0; rest = Math.floor(rest / ALPHABET.length)) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
  }
  return digits.padStart(SHORTUUID_LENGTH, ALPHABET.charAt(0))
}

/** Reverses `encodeCampaign`. */
export function decodeCampaign(shortuuid: string): number {
  let campaign = 0
  for (const digit of shortuuid) campaign = campaign * ALPHABET.length + ALPHABET.indexOf(digit)
  return campaign
}
