// TypeScript: res.locals.trackImpression is typed, without a cast or a declaration of yours.
// To start it: npm run example typescript

import { impressions, type TrackImpression } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const sandbox = await sandboxUnlessKeys()

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)

app.get('/', (_req, res) => {
  res.send(page(res.locals.trackImpression))
})

function page(trackImpression: TrackImpression): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <h1>The Daily Example</h1>
  <a href="${escapeHtml(banner.url)}"><img src="${banner.image}" alt="${escapeHtml(banner.text)}"></a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
  <ul>${products.map((product) => item(product, trackImpression)).join('')}</ul>
</html>`
}

function item(product: (typeof products)[number], trackImpression: TrackImpression): string {
  const { campaignId, offerId, url, text } = product
  return `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`
}

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
