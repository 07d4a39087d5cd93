/** @jsxImportSource hono/jsx */
import type { TrackImpression } from 'ad-impressions'
import { banner, products } from '../ads.js'

export function Page({ trackImpression }: { trackImpression: TrackImpression }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>The Daily Example</title>
      </head>
      <body>
        <h1>The Daily Example</h1>
        <a href={banner.url}>
          <img src={banner.image} alt={banner.text} />
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
      </body>
    </html>
  )
}
