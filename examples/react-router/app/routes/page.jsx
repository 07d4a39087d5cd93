import { Link, useLoaderData } from 'react-router'
import { banner, products } from '../../../ads.js'

/** Components also run in the browser, so impressions are recorded in loaders. */
export function loader({ context: { trackImpression } }) {
  trackImpression({ campaignId: banner.id, placement: 'header_banner' })
  for (const { campaignId, offerId } of products) trackImpression({ campaignId, offerId })
  return { banner, products }
}

export default function Page() {
  const { banner, products } = useLoaderData()
  return (
    <>
      <h1>
        <Link to="/story">The Daily Example</Link>
      </h1>
      <a href={banner.url}>
        <img src={banner.image} alt={banner.text} />
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
