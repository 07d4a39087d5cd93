import { setTimeout } from 'node:timers/promises'
import type { TrackImpression } from 'ad-impressions'
import { Suspense, use } from 'react'
import { banner, products } from '../ads.js'

type Product = (typeof products)[number]

export function Page(props: { trackImpression: TrackImpression; products: Promise<Product[]> }) {
  const { trackImpression } = props
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <title>The Daily Example</title>
      </head>
      <body>
        <h1>The Daily Example</h1>
        <a href={banner.url}>
          <img src={banner.image} alt={banner.text} />
        </a>
        {trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
        <Suspense fallback={<p>Loading products</p>}>
          <Products {...props} />
        </Suspense>
      </body>
    </html>
  )
}

/**
 * Rendered when the products have loaded, long after the response head was sent. React runs the code
 * before `use` twice; a campaign tracked there still counts once.
 */
function Products(props: { trackImpression: TrackImpression; products: Promise<Product[]> }) {
  const { trackImpression } = props
  return (
    <ul>
      {use(props.products).map(({ campaignId, offerId, url, text }) => (
        <li key={offerId}>
          <a href={url}>{text}</a>
          {trackImpression({ campaignId, offerId })}
        </li>
      ))}
    </ul>
  )
}

/** Simulates a slow call. */
export async function fetchProducts(): Promise<Product[]> {
  await setTimeout(200)
  return products
}
