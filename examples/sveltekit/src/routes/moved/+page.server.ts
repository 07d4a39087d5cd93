import { redirect } from '@sveltejs/kit'
import { products } from '../../../../ads.js'
import type { PageServerLoad } from './$types'

/** Counts nothing: a redirect displays nothing. */
export const load: PageServerLoad = ({ locals: { trackImpression } }) => {
  trackImpression(products[0])
  redirect(307, '/')
}
