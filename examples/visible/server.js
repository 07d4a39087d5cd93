// Ads that count once they are visible, under a strict Content-Security-Policy. Start it with:
// npm run example visible

import { randomBytes } from 'node:crypto'
import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const app = express()
const tracker = impressions({
  // Use your own secret, the same in every process: openssl rand -base64 32
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

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
