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
        <Suspense fallback={<p>Products are on their way</p>}>
          <Products {...props} />
        </Suspense>
      </body>
    </html>
  )
}

/**
 * Rendered when the products have come, long after the head of the response was sent. What stands
 * above `use` is rendered twice; a campaign tracked there would still count once.
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

/** Stands for a call that takes its time. */
export async function fetchProducts(): Promise<Product[]> {
  await setTimeout(200)
  return products
}
