import Image from 'next/image'
import Link from 'next/link'
import { banner } from '../../ads.js'
import { getTracker } from '../tracker.js'

export async function getServerSideProps({ req, res }) {
  const { whenVisible } = getTracker().pageLoad(req, res)
  const impression = whenVisible({ campaignId: banner.id, placement: 'story' })
  return { props: { ad: { ...banner, impression } } }
}

export default function Story({ ad }) {
  return (
    <>
      <h1>A story</h1>
      <a href={ad.url} data-ad-impression={ad.impression}>
        <Image src={ad.image} alt={ad.text} width={728} height={90} />
      </a>
      <Link href="/">The Daily Example</Link>
    </>
  )
}
