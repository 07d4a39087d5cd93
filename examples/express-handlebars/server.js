// Express and Handlebars. Start it with: npm run example express-handlebars

import { impressions } from 'ad-impressions'
import express from 'express'
import { engine } from 'express-handlebars'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)

// Handlebars passes named arguments to helpers only. Inside {{#each}}, res.locals is available only
// at the root.
const helpers = {
  trackImpression: (options) => options.data.root.trackImpression(options.hash),
}
app.engine('handlebars', engine({ defaultLayout: false, helpers }))
app.set('views', import.meta.dirname)

app.get('/', (_req, res) => {
  res.render('page.handlebars', { banner, products })
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
