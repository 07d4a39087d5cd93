// Express and Handlebars. To start it: npm run example express-handlebars

import { impressions } from 'ad-impressions'
import express from 'express'
import { engine } from 'express-handlebars'
import { banner, products } from '../ads.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const sandbox = await sandboxUnlessKeys()

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)

// Handlebars hands named arguments to helpers only, and inside {{#each}} only the root has what
// res.locals has: this helper is both.
const helpers = {
  trackImpression: (options) => options.data.root.trackImpression(options.hash),
}
app.engine('handlebars', engine({ defaultLayout: false, helpers }))
app.set('views', import.meta.dirname)

app.get('/', (_req, res) => {
  res.render('page.handlebars', { banner, products })
})

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
