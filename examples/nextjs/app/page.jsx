import Image from 'next/image'
import Link from 'next/link'
import { banner, products } from '../../ads.js'
import { getTrackImpression } from '../track-impression.js'

export default async function Page() {
  const trackImpression = await getTrackImpression()
  return (
    <>
      <h1>
        <Link href="/story">The Daily Example</Link>
      </h1>
      <a href={banner.url}>
        <Image src={banner.image} alt={banner.text} width={728} height={90} />
      </a>
      {trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
      <ul>
        {products.map(({ campaignId, offerId, url, text }) => (
          <li key={offerId}>
            <a href={url}>{text}</a>
            {trackImpression({ campaignId, offerId })}
          </li>
        ))}
      </ul>
    </>
  )
}
