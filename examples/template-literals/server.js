// Template literals on node:http, without a framework: so it is done on any server of Node's.
// To start it: npm run example template-literals

import { createServer } from 'node:http'
import { createTracker } from 'ad-impressions'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const sandbox = await sandboxUnlessKeys()
const tracker = createTracker() // keys from ENS_API_KEY and CLOSIENT_API_KEY

const server = createServer((req, res) => {
  if (req.url !== '/') return res.writeHead(404).end()
  const trackImpression = tracker.pageLoad(req, res)
  res.setHeader('content-type', 'text/html; charset=utf-8')
  return res.end(page(trackImpression))
})

const page = (trackImpression) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <h1>The Daily Example</h1>
  <a href="${escapeHtml(banner.url)}"><img src="${banner.image}" alt="${escapeHtml(banner.text)}"></a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
  <ul>${products.map((product) => item(product, trackImpression)).join('')}</ul>
</html>`

const item = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

await untilStopped(server.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
