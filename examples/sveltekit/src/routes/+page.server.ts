import { banner, products } from '../../../ads.js'
import type { PageServerLoad } from './$types'

/** Runs on the server for each display: also when the browser goes to this page from another one. */
export const load: PageServerLoad = ({ locals: { trackImpression } }) => {
  trackImpression({ campaignId: banner.id, placement: 'header_banner' })
  for (const { campaignId, offerId } of products) trackImpression({ campaignId, offerId })
  return { banner, products }
}
