// Ads that count once they have been seen, under a strict Content-Security-Policy. To start it:
// npm run example visible

import { randomBytes } from 'node:crypto'
import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const sandbox = await sandboxUnlessKeys()

const app = express()
const tracker = impressions({
  // One of your own, the same in every process: openssl rand -base64 32
  visibility: { secret: process.env.AD_IMPRESSIONS_SECRET ?? randomBytes(32).toString('base64') },
})
app.use(tracker)
app.set('views', import.meta.dirname)

app.get('/', (_req, res) => {
  const nonce = randomBytes(16).toString('base64')
  res.set(
    'content-security-policy',
    `default-src 'none'; img-src data:; style-src 'nonce-${nonce}'; ` +
      `script-src 'nonce-${nonce}'; connect-src 'self'`,
  )
  res.render('page.ejs', { banner, products, nonce })
})

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
