import { Link, useLoaderData } from 'react-router'
import { banner } from '../../../ads.js'

export function loader({ context: { trackImpression } }) {
  const impression = trackImpression.whenVisible({ campaignId: banner.id, placement: 'story' })
  return { ad: { ...banner, impression } }
}

export default function Story() {
  const { ad } = useLoaderData()
  return (
    <>
      <h1>A story</h1>
      <a href={ad.url} data-ad-impression={ad.impression}>
        <img src={ad.image} alt={ad.text} />
      </a>
      <Link to="/">The Daily Example</Link>
    </>
  )
}
