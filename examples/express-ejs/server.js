// Express and EJS. To start it: npm run example express-ejs

import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const sandbox = await sandboxUnlessKeys()

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)
app.set('views', import.meta.dirname)

app.get('/', (_req, res) => {
  res.render('page.ejs', { banner, products })
})

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
