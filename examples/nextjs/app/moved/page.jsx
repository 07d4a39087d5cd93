import { redirect } from 'next/navigation'
import { products } from '../../../ads.js'
import { getTrackImpression } from '../../track-impression.js'

export default async function Moved() {
  const trackImpression = await getTrackImpression()
  trackImpression(products[0]) // not displayed, so it does not count
  redirect('/')
}
