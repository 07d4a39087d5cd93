// Express and EJS. Start it with: npm run example express-ejs

import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)
app.set('views', import.meta.dirname)

app.get('/', (_req, res) => {
  res.render('page.ejs', { banner, products })
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
