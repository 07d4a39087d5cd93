import Image from 'next/image'
import Link from 'next/link'
import { banner } from '../../../ads.js'
import { getTrackImpression } from '../../track-impression.js'

export default async function Story() {
  const trackImpression = await getTrackImpression()
  const ad = { campaignId: banner.id, placement: 'story' }
  return (
    <>
      <h1>A story</h1>
      <a href={banner.url} data-ad-impression={trackImpression.whenVisible(ad)}>
        <Image src={banner.image} alt={banner.text} width={728} height={90} />
      </a>
      <Link href="/">The Daily Example</Link>
    </>
  )
}
