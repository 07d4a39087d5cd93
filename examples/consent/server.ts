// Consent, from the browser's Global Privacy Control and from the TC string of the site's consent
// banner. Copy policies.ts into your project. Start it with: npm run example consent

import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { buildTcString } from './banner.js'
import { hasConsented, hasOptedOut } from './policies.js'

const sandbox = await startSandboxUnlessKeys()

const app = express()
const tracker = impressions({ consent: (req) => !hasOptedOut(req) && hasConsented(req) })
app.use(tracker)

app.get('/', (_req, res) => {
  const { trackImpression } = res.locals
  const items = products.map(
    ({ campaignId, offerId, url, text }) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`,
  )
  res.send(`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <h1>The Daily Example</h1>
  <a href="${escapeHtml(banner.url)}"><img src="${banner.image}" alt="${escapeHtml(banner.text)}"></a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
  <ul>${items.join('')}</ul>
  <form method="post">
    <p>May we count which ads you saw?</p>
    <button formaction="/consent/yes">Yes</button>
    <button formaction="/consent/no">No</button>
  </form>
</html>`)
})

app.post('/consent/:answer', (req, res) => {
  const purposes = req.params.answer === 'yes' ? undefined : []
  res.cookie('euconsent-v2', buildTcString(purposes), { sameSite: 'lax', encode: String })
  res.redirect(303, '/')
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
