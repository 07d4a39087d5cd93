// Template literals on node:http, without a framework. It works the same on any Node.js server.
// Start it with: npm run example template-literals

import { createServer } from 'node:http'
import { createTracker } from 'ad-impressions'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()
const tracker = createTracker() // keys from ENS_API_KEY and CLOSIENT_API_KEY

const server = createServer((req, res) => {
  if (req.url !== '/') return res.writeHead(404).end()
  const trackImpression = tracker.pageLoad(req, res)
  res.setHeader('content-type', 'text/html; charset=utf-8')
  return res.end(renderPage(trackImpression))
})

const renderPage = (trackImpression) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <h1>The Daily Example</h1>
  <a href="${escapeHtml(banner.url)}"><img src="${banner.image}" alt="${escapeHtml(banner.text)}"></a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
  <ul>${products.map((product) => renderProduct(product, trackImpression)).join('')}</ul>
</html>`

const renderProduct = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

await waitUntilStopped(server.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
