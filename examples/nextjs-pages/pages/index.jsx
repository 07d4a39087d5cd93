import Head from 'next/head'
import Image from 'next/image'
import Link from 'next/link'
import { banner, products } from '../../ads.js'
import { getTracker } from '../tracker.js'

/** Components also run in the browser, so impressions are recorded here. */
export async function getServerSideProps({ req, res }) {
  const trackImpression = getTracker().pageLoad(req, res)
  trackImpression({ campaignId: banner.id, placement: 'header_banner' })
  for (const { campaignId, offerId } of products) trackImpression({ campaignId, offerId })
  return { props: { banner, products } }
}

export default function Page({ banner, products }) {
  return (
    <>
      <Head>
        <title>The Daily Example</title>
      </Head>
      <h1>
        <Link href="/story">The Daily Example</Link>
      </h1>
      <a href={banner.url}>
        <Image src={banner.image} alt={banner.text} width={728} height={90} />
      </a>
      <ul>
        {products.map(({ offerId, url, text }) => (
          <li key={offerId}>
            <a href={url}>{text}</a>
          </li>
        ))}
      </ul>
    </>
  )
}
