import { banner } from '../../../../ads.js'
import type { PageServerLoad } from './$types'

export const load: PageServerLoad = ({ locals: { trackImpression } }) => ({
  banner,
  token: trackImpression.whenVisible({ campaignId: banner.id, placement: 'story' }),
})
